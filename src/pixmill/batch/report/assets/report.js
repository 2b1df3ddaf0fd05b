"use strict";
// Moves the divider with the slider. Without scripts it stays in the middle.
const cut = (slider) => slider.parentElement.style.setProperty("--cut", `${slider.value}%`);
addEventListener("input", ({ target }) => { if (target.matches(".slider input")) cut(target); });
document.querySelectorAll(".slider input").forEach(cut);
// Open all details for printing.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
