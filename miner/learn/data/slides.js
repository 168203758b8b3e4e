"use strict";
// Without this script every slide stands below the one before it, with its answer.
const slides = [...document.querySelectorAll(".slide")];
const LEAST = 0.6; // letters are made no smaller than this
let at = 0;

// What stands over at this size is made smaller; sizes follow the window, so once is enough.
function fit(slide) {
  const body = slide.querySelector(".body");
  for (let size = 1; size > LEAST; size -= 0.02) {
    slide.style.setProperty("--fit", size.toFixed(2));
    if (body.scrollHeight <= body.clientHeight + 1 && body.scrollWidth <= body.clientWidth + 1) return;
  }
}

function hidden() {
  const now = slides[at];
  return now.querySelector(".answer") !== null && !now.classList.contains("open");
}

function show(number) {
  at = Math.min(Math.max(number, 0), slides.length - 1);
  slides.forEach((slide, place) => {
    slide.classList.toggle("now", place === at);
    slide.classList.toggle("open", slide.classList.contains("open") && place === at);
  });
  history.replaceState(null, "", `#${at + 1}`);
}

function reveal() {
  slides[at].classList.add("open");
}

function forward() {
  if (hidden()) reveal();
  else show(at + 1);
}

// #12 is a slide, #lesson-why the first of a lesson.
function goto() {
  const name = location.hash.slice(1);
  const place = slides.findIndex((slide) => slide.id === name && name !== "");
  show(place >= 0 ? place : (parseInt(name, 10) || 1) - 1);
}

const KEYS = {
  ArrowRight: forward, ArrowDown: forward, PageDown: forward, Enter: forward, " ": forward,
  ArrowLeft: () => show(at - 1), ArrowUp: () => show(at - 1), PageUp: () => show(at - 1),
  Backspace: () => show(at - 1), Home: () => show(0), End: () => show(slides.length - 1), a: reveal,
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
};

document.addEventListener("keydown", (event) => {
  const link = event.key === "Enter" && event.target.closest("a");
  if (event.ctrlKey || event.altKey || event.metaKey || link || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("a") || !getSelection().isCollapsed) return;
  if (event.clientX < innerWidth / 4) show(at - 1);
  else forward();
});
addEventListener("hashchange", goto);

document.documentElement.classList.add("live");
slides.forEach((slide, place) => {
  slide.querySelector(".place").textContent = `${place + 1} / ${slides.length}`;
  slide.classList.add("now"); // shown while it is measured
  fit(slide);
  slide.classList.remove("now");
});
goto();
