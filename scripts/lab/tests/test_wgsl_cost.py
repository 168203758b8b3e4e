"""Counting what Mesa's compiler for AMD prints, on a program small enough to count by hand."""

from lab.figures.wgsl_cost import Layout, cost, row

TOLD = """\
device: Null hardware (RADV TEST)
statistic: SGPRs = 128
statistic: VGPRs = 8
statistic: Spilled VGPRs = 0
statistic: Scratch size = 0
statistic: Subgroups per SIMD = 20
BB0:
	s_mov_b32 s0, s3                       ; be800303
	v_mov_b32_e32 v0, 1                    ; 7e000281
BB1:
	v_add_nc_u32_e32 v0, v1, v2            ; 4a000501
	ds_read_b128 v[4:7], v3                ; dbfc0000 04000003
	v_xor3_b32 v0, v0, v4, v5              ; d5780000 04160900
	v_alignbit_b32 v0, v0, v0, 6           ; d54e0000 021a0100
	s_cbranch_scc1 BB1                     ; bf85fffb
BB2:
	s_endpgm                               ; bf810000
"""


def test_a_loop_counts_for_each_hash_and_its_set_up_once() -> None:
    found = cost(TOLD, "scan_shared", Layout(64, 32, 1))
    assert (found.loop["VALU"], found.loop["LDS"], found.setup["VALU"]) == (3, 1, 1)
    assert found.per_hash("VALU") == 3 + 1 / 32
    assert "8 VGPRs, 0 spilled, 0 B scratch, 20 waves a SIMD" in row(TOLD, "scan_shared", found)


def test_two_hashes_of_a_pass_share_its_instructions() -> None:
    found = cost(TOLD, "scan_shared", Layout(64, 32, 2))
    assert (found.loop["VALU"], found.hashes) == (2, 64)  # three for two, rounded
