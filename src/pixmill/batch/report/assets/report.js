"use strict";
// Without this the slider shows half of each picture; with it, as much as it is set to.
for (const slider of document.querySelectorAll(".slider input")) {
  const show = () => slider.parentElement.style.setProperty("--cut", `${slider.value}%`);
  slider.addEventListener("input", show);
  show();
}
// What is folded is printed too.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
