"""Phones in a room, in memory: what each gets, what its shares become, who may be here."""

from fractions import Fraction
from typing import Any

import pytest

from miner.bitcoin.encoding import sha256d
from miner.pool.phones import GRACE_S, MOST_FOUND, MOST_KNOWN, MOST_POSTS, Mail, Phone, Phones
from miner.pool.values import Answer, Joined, Left, Refused
from miner.work.job import UINT32
from tests.unit.pool.kit import SECOND_TIP, Rig

EASY = Fraction(1, 2**20)  # of shares in these tests: 4,096 hashes each


class Class:
    """A rig with phones."""

    def __init__(self, **rules: Any) -> None:
        self.rig = Rig(**rules)
        self.rig.new_template()
        self.phones = Phones(self.rig.room, lambda: self.rig.now)

    def entered(self, name: str = "Ada", token: str = "") -> tuple[Phone, Mail]:
        phone = self.phones.enter(name, "Android", token)
        return phone, self.phones.open(phone)

    def later(self, seconds: float) -> None:
        self.rig.now += seconds
        self.phones.tick()


@pytest.fixture
def room() -> Class:
    return Class()


def work_in(mail: Mail) -> dict[str, Any]:
    (work,) = (told for name, told in mail.take() if name == "work")
    return work


def nonce_for(work: dict[str, Any], start: int = 0, below: int | None = None) -> int:
    """The first nonce from start on whose hash meets the unit's target."""
    header, target = bytes.fromhex(work["header"]), below or int(work["target"], 16)
    for nonce in range(start, UINT32):
        if int.from_bytes(sha256d(header + nonce.to_bytes(4, "little")), "little") <= target:
            return nonce
    raise AssertionError("no nonce at all")


def easy(room: Class) -> tuple[Phone, Mail, dict[str, Any]]:
    """A phone whose shares cost few hashes."""
    phone, mail = room.entered()
    mail.take()
    room.rig.room.suggest(phone.number, EASY, room.rig.now)
    return phone, mail, work_in(mail)


def test_a_phone_gets_a_header_and_its_share_is_judged_by_the_room(room: Class) -> None:
    phone, mail, work = easy(room)
    assert len(bytes.fromhex(work["header"])) == 76 and work["height"] == 5
    assert work["hashes"] == pytest.approx(2**256 / (int(work["target"], 16) + 1))
    nonce = nonce_for(work)
    answer = room.phones.share(phone, work["job"], work["unit"], nonce)
    assert answer["answer"] == "accepted" and answer["difficulty"] > 0
    header = bytes.fromhex(work["header"]) + nonce.to_bytes(4, "little")
    assert answer["hash"] == sha256d(header)[::-1].hex()
    room.later(1.0)
    told = dict(mail.take())["told"]
    assert (told["name"], told["accepted"], told["refused"]) == ("Ada", 1, 0)
    assert told["best"] == answer["hash"]


def test_forged_repeated_late_and_strange_shares_are_refused_by_name(room: Class) -> None:
    phone, mail, work = easy(room)
    nonce = nonce_for(work)
    share = room.phones.share
    forged = next(n for n in range(UINT32) if n != nonce and nonce_for(work, n) != n)
    assert share(phone, work["job"], work["unit"], forged)["answer"] == "low"
    assert share(phone, work["job"], work["unit"] + 1, nonce)["answer"] == "low"
    assert share(phone, work["job"], work["unit"], nonce)["answer"] == "accepted"
    assert share(phone, work["job"], work["unit"], nonce)["answer"] == "duplicate"
    assert share(phone, "no such job", work["unit"], nonce)["answer"] == "unknown_job"
    room.rig.new_template(SECOND_TIP, 6)
    late = share(phone, work["job"], work["unit"], nonce_for(work, nonce + 1))
    assert late["answer"] == "stale" and late["error"].startswith("stale: ")
    room.rig.room.pause(True, room.rig.now)
    now = work_in(mail)
    paused = share(phone, now["job"], now["unit"], nonce_for(now))
    assert (paused["answer"], paused["error"]) == ("paused", Answer.PAUSED.words)
    room.later(1.0)
    assert dict(mail.take())["told"]["refused"] == 5  # nobody is to blame for a pause


def test_a_block_goes_to_the_node_and_all_hear_who_found_it(room: Class) -> None:
    room.rig.room.set_target(2**256 // 2**10, room.rig.now)
    phone, mail, _ = easy(room)
    other, others = room.entered("Bob")
    work = room.phones.unit(phone)
    assert work is not None
    others.take()
    nonce = nonce_for(work, below=2**256 // 2**10)
    assert room.phones.share(phone, work["job"], work["unit"], nonce)["answer"] == "accepted"
    (block,) = room.rig.blocks
    assert block.nonce == nonce and block.header.hex().startswith(work["header"])
    assert all(name != "found" for name, _ in others.take()), "the kernel has not spoken"
    room.rig.room.block_judged(block.hash_hex, True, "", True, room.rig.now)
    heard = {"name": "Ada", "height": 5}
    assert ("found", {**heard, "own": False}) in others.take()
    assert ("found", {**heard, "own": True}) in mail.take()
    assert other.number != phone.number


def test_no_header_is_given_twice_however_often_a_page_is_opened(room: Class) -> None:
    """Neither to one phone over reloads and further units, nor to two."""
    seen: list[str] = []
    one, first = room.entered()
    two, second = room.entered("Bob")
    seen += [work_in(first)["header"], work_in(second)["header"]]
    for _ in range(5):
        again, mail = room.entered("Ada", one.entry.token)
        assert again is one
        seen.append(work_in(mail)["header"])
        for phone in (one, two):
            unit = room.phones.unit(phone)
            assert unit is not None
            seen.append(unit["header"])
    room.rig.new_template()  # the very same template again
    seen += [work_in(mail)["header"], work_in(second)["header"]]
    assert len(set(seen)) == len(seen)


def test_a_reload_keeps_name_and_counts_and_ends_the_other_tab(room: Class) -> None:
    phone, mail, work = easy(room)
    room.phones.share(phone, work["job"], work["unit"], nonce_for(work))
    again, newer = room.entered("Ada", phone.entry.token)
    assert [name for name, _ in mail.take()][-1] == "moved"
    told = dict(newer.take())["told"]
    assert again is phone and (told["name"], told["accepted"]) == ("Ada", 1)
    room.phones.closed(phone, mail)  # the older stream ends late: the newer one stays
    room.later(GRACE_S + 1)
    assert len(room.rig.of(Left)) == 1 and newer.take()  # "replaced", once


def test_another_name_with_the_same_token_renames(room: Class) -> None:
    phone, _ = room.entered("Ada")
    room.entered("Grace", phone.entry.token)
    assert room.phones.name(phone) == "Grace"


def test_names_are_clean_and_unique(room: Class) -> None:
    names = []
    for wished in ("Ada", "ada", "<b>Bob</b>", "\x1b[31mEve\u202e", "x" * 99, " ", "日" * 24):
        phone, _ = room.entered(wished)
        names.append(room.phones.name(phone))
    assert len(set(names)) == len(names)
    assert all(
        len(name) <= 24 and len(name.encode()) <= 40 and name.isprintable() for name in names
    )
    assert names[:3] == ["Ada", "ada 2", "<b>Bob</b>"]  # the page shows text, never markup


def test_sixty_four_phones_and_one_who_leaves_makes_room(room: Class) -> None:
    phones = [room.entered(f"phone {number}") for number in range(64)]
    with pytest.raises(Refused, match="64 browsers are here already") as refused:
        room.phones.enter("one more", "", "")
    assert refused.value.full
    phone, _ = phones[7]
    again, _ = room.entered("phone 7", phone.entry.token)  # who is in may come again
    assert again is phone
    room.phones.closed(*phones[8])
    room.later(GRACE_S + 1)
    room.entered("one more")
    assert [event.member.name for event in room.rig.of(Joined)][-1] == "one more"


def test_one_who_never_opens_a_stream_gives_the_place_back(room: Class) -> None:
    room.phones.enter("Ada", "", "")
    room.later(GRACE_S - 1)
    assert room.rig.of(Left) == []
    room.later(2.0)
    assert len(room.rig.of(Left)) == 1


def test_a_phone_that_slept_comes_back_to_its_row(room: Class) -> None:
    """Its browser opens the stream anew by itself, long after the phone has left."""
    phone, mail, work = easy(room)
    room.phones.share(phone, work["job"], work["unit"], nonce_for(work))
    room.phones.closed(phone, mail)
    room.later(60.0)
    assert len(room.rig.of(Left)) == 1
    again = room.phones.open(phone)
    member = room.rig.room.member(phone.number)
    assert member is not None and member.left_s is None and work_in(again)
    room.later(1.0)
    assert dict(again.take())["told"]["accepted"] == 1
    room.later(60.0)
    assert len(room.rig.of(Left)) == 1


def test_a_phone_that_slept_while_the_room_filled_up_is_told() -> None:
    room = Class(most_of_a_kind=1)
    phone, mail = room.entered()
    room.phones.closed(phone, mail)
    room.later(60.0)
    room.entered("Bob")
    assert [name for name, _ in room.phones.open(phone).take()] == ["unknown"]


def test_a_new_device_of_a_name_that_left_has_its_row_and_keeps_it(room: Class) -> None:
    first, mail = room.entered()
    room.phones.closed(first, mail)
    room.later(60.0)
    second, newer = room.entered()
    assert second is not first and second.number == first.number
    room.later(60.0)
    assert len(room.rig.of(Left)) == 1, "the first, which has no stream, sends nobody away"
    assert room.phones.share(first, "1", 0, 0)["answer"] == "unauthorized"
    assert [name for name, _ in room.phones.open(first).take()] == ["unknown"]
    assert newer.take()


def test_one_whom_the_teacher_removes_hears_it_and_is_not_let_in_again(room: Class) -> None:
    phone, mail = room.entered()
    room.rig.room.remove(phone.number, room.rig.now)
    assert [name for name, _ in mail.take()][-1] == "removed"
    assert room.phones.of(phone.entry.token) is None
    with pytest.raises(Refused, match="removed") as refused:
        room.phones.enter("Ada", "", phone.entry.token)
    assert not refused.value.full


def test_a_new_name_by_the_teacher_reaches_the_phone(room: Class) -> None:
    phone, mail = room.entered()
    room.rig.room.rename(phone.number, "Grace", room.rig.now)
    room.later(1.0)
    assert dict(mail.take())["told"]["name"] == "Grace"


def test_a_slow_reader_holds_little(room: Class) -> None:
    """Whatever happens while nothing is taken: the newest work, the newest counts, few blocks."""
    phone, mail = room.entered()
    for number in range(1, 200):
        room.rig.new_template(f"{number:064x}", number)
        room.later(1.0)
        mail.found.append({"name": "Bob", "height": number, "own": False})
    taken = mail.take()
    assert len(taken) == 2 + MOST_FOUND
    assert dict(taken)["work"]["height"] == 199
    assert mail.take() == [] and room.phones.unit(phone) is not None


def test_posts_and_entries_are_limited_and_tokens_bounded(room: Class) -> None:
    phone, _ = room.entered()
    assert all(room.phones.may_post(phone) for _ in range(MOST_POSTS))
    assert not room.phones.may_post(phone)
    room.rig.now += 1.0
    assert room.phones.may_post(phone)
    assert sum(room.phones.may_enter("192.0.2.7") for _ in range(100)) == 20
    assert room.phones.may_enter("192.0.2.8")
    room.rig.now += 10.0
    assert room.phones.may_enter("192.0.2.7")
    first = room.phones.enter("first", "", "").entry.token
    for number in range(MOST_KNOWN + 1):
        room.later(GRACE_S + 1)
        room.phones.enter(f"guest {number}", "", "")
    assert room.phones.of(first) is None and room.phones.of(phone.entry.token) is phone


def test_without_a_template_there_is_no_work_yet() -> None:
    rig = Rig()
    phones = Phones(rig.room, lambda: rig.now)
    phone = phones.enter("Ada", "", "")
    mail = phones.open(phone)
    assert [name for name, _ in mail.take()] == ["told"] and phones.unit(phone) is None
    assert phones.share(phone, "1", 0, 0)["answer"] == "unknown_job"
    rig.new_template()
    assert work_in(mail)["height"] == 5
