// Who wants to see the password they type, may; it goes off, and is remembered by the browser, as a password again.
(() => {
  "use strict";
  for (const input of document.querySelectorAll("input[type=password]")) {
    const reveal = Object.assign(document.createElement("button"), { type: "button", className: "text-button reveal", textContent: "Show", ariaLabel: "Show what you type", ariaPressed: "false" });
    const turn = (isShown) => {
      input.type = isShown ? "text" : "password";
      reveal.ariaPressed = isShown;
    };
    reveal.addEventListener("click", () => turn(input.type === "password"));
    input.form.addEventListener("submit", () => turn(false));
    input.after(reveal);
  }
})();
