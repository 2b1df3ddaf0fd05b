"use strict";
// Without this the slider shows half of each picture; with it, as much as it is set to.
const cut = (slider) => slider.parentElement.style.setProperty("--cut", `${slider.value}%`);
addEventListener("input", ({ target }) => { if (target.matches(".slider input")) cut(target); });
document.querySelectorAll(".slider input").forEach(cut);
// What is folded is printed too.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
