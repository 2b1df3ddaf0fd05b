"use strict";
// Moves the divider with the slider. Without scripts it stays in the middle.
const cut = (slider) => slider.parentElement.style.setProperty("--cut", `${slider.value}%`);
addEventListener("input", ({ target }) => { if (target.matches(".slider input")) cut(target); });
document.querySelectorAll(".slider input").forEach(cut);
// A click shows a copy of a picture as large as the window, another one pixel by pixel. Escape and the button close it.
const enlarged = document.getElementById("enlarged");
addEventListener("click", ({ target }) => {
  if (target.matches(".close")) enlarged.close();
  else if (target.matches("dialog .enlarge")) enlarged.classList.toggle("actual");
  else if (target.matches(".enlarge")) {
    const copy = target.closest("figure").cloneNode(true);
    copy.removeAttribute("id");
    enlarged.classList.remove("actual");
    enlarged.lastElementChild.replaceChildren(copy);
    enlarged.showModal();
  }
});
// Open all details for printing.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
