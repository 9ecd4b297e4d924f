// What neither HTML nor htmx can do. Every page works without this file.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  // Say when a request htmx made came to nothing. Badge and suggestions load by themselves: their failures concern nobody.
  const say = (words) => {
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.addEventListener("click", hush);
    byId("failed").replaceChildren(Object.assign(document.createElement("span"), { textContent: words }), close);
  };
  const hush = () => byId("failed").replaceChildren();
  const on = (name, act) => document.addEventListener(name, (event) => event.detail.elt?.matches("#cart-link, #search, #recent") || act(event));
  // A number that was not kept must not stay in its field.
  const fail = (words) => ({ detail }) => {
    const line = detail.elt?.closest(".line-qty");
    line?.reset();
    say(line ? `${words} The quantity shown is the last one we know was kept.` : words);
  };
  on("htmx:sendError", fail("That did not work: the shop cannot be reached. Look at your connection and try again."));
  on("htmx:timeout", fail("That did not work: the shop took too long to answer. Please try again."));
  on("htmx:responseError", fail("That did not work. Please try again, or reload the page to see how things stand."));
  // What was told at first is old news once the cart changes.
  on("htmx:beforeRequest", ({ detail }) => {
    hush();
    if (detail.elt.closest("#cart")) byId("messages").replaceChildren();
  });

  // A request dropped for a newer one is no error for the console.
  if (window.htmx) htmx.logger = (_, name, detail) => ["htmx:sendAbort", "htmx:afterRequest"].includes(name) && delete detail.error;

  // After a swap: read out what changed, and never leave the keyboard nowhere.
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    const fresh = byId(detail.target?.id);
    if (!fresh?.dataset.status) return;
    byId("status").textContent = fresh.dataset.status;
    if (fresh.dataset.title) document.title = fresh.dataset.title;
    if (document.activeElement === document.body) fresh.querySelector("[tabindex='-1']")?.focus({ preventScroll: true });
  });

  // A clock time in UTC, as the reader's own clock shows it.
  for (const time of document.querySelectorAll("[data-clock]")) time.textContent = new Date(time.dateTime).toLocaleTimeString([], { timeStyle: "short" });
  for (const time of document.querySelectorAll("[data-moment]")) time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "long", timeStyle: "short" });

  // How long is left, beside a clock time: a count drawn by the server would be wrong as soon as it is read.
  for (const left of document.querySelectorAll("[data-left]")) {
    const tell = () => {
      const minutes = Math.floor((new Date(left.dataset.left) - Date.now()) / 60000);
      left.textContent = minutes > 0 ? ` (${minutes} minute${minutes > 1 ? "s" : ""} left)` : minutes < 0 ? "" : " (less than a minute left)";
    };
    tell();
    setInterval(tell, 15000);
  }

  // An open drawer has the page to itself: Tab stays within, and what lies behind is not read out but for what #status says.
  const drawer = ":popover-open.drawer";
  const free = () => document.querySelectorAll("[inert]").forEach((part) => (part.inert = false));
  document.addEventListener("toggle", () => {
    const open = document.querySelector(drawer);
    if (!open) return;
    for (let part = open; part !== document.body; part = part.parentElement) {
      for (const other of part.parentElement.children) other.inert ||= other !== part && !other.matches("#status, #failed");
    }
    if (!open.contains(document.activeElement)) open.querySelector("a, button").focus();
  }, true);
  // Before it closes: the button that opened it must be able to take the focus back.
  document.addEventListener("beforetoggle", ({ newState }) => newState === "closed" && free(), true);
  // It may also go with a swap, and Back brings a picture of how the page was.
  for (const name of ["htmx:afterSettle", "htmx:historyRestore"]) document.addEventListener(name, () => document.querySelector(drawer) || free());
  // A screen that was turned has room for what is in the drawer.
  matchMedia("(width >= 64rem)").addEventListener("change", () => document.querySelector(drawer)?.hidePopover());

  // The − and + beside a quantity.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    const input = button.parentElement.querySelector("input");
    const before = input.value;
    button.dataset.step > 0 ? input.stepUp() : input.stepDown();
    if (input.value !== before) input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // A quantity changed before the scripts were there: what is shown must not differ from what is kept.
  document.addEventListener("htmx:load", () => {
    for (const input of document.querySelectorAll(".line-qty input[name=quantity]")) {
      if (input.value !== input.defaultValue && input !== document.activeElement) input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  // A form that must go once: the second press waits for the answer to the first.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-once")) return;
    if (form.ariaBusy === "true") event.preventDefault();
    form.ariaBusy = "true";
  });

  // Back brings an old picture of the page: free its forms and ask for the cart's count again.
  const refresh = () => {
    document.querySelectorAll("[data-once]").forEach((form) => (form.ariaBusy = null));
    document.body.dispatchEvent(new Event("cart-changed"));
  };
  addEventListener("pageshow", (event) => event.persisted && refresh());
  document.addEventListener("htmx:historyRestore", refresh);
})();
