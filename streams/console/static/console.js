// Adds to each id a button that copies it. Without this script, a click still selects the whole id.
"use strict";
for (const id of document.querySelectorAll("code.id")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "copy";
  button.setAttribute("aria-label", `copy ${id.textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(id.textContent);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
  id.after(button);
}
