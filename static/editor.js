// The product editor: photographs straight to the bucket with progress, and the search preview while typing. All of it works otherwise too.
(() => {
  "use strict";
  const post = (url, values) =>
    fetch(url, { method: "POST", body: new URLSearchParams(values), headers: { "HX-Request": "true" } });

  const send = (upload, file, tell) =>
    new Promise((done, failed) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      form.append("file", file);
      const request = new XMLHttpRequest();
      request.open("POST", upload.url);
      request.upload.addEventListener("progress", (event) => tell(event.loaded / event.total));
      request.addEventListener("load", () => (request.status < 300 ? done() : failed(new Error("The photograph did not arrive. Please send it again."))));
      request.addEventListener("error", () => failed(new Error("The photograph did not arrive. Look at your connection and send it again.")));
      request.send(form);
    });

  const answer = async (response) => {
    if (response.status === 422) throw new Error((await response.json()).problem);
    if (!response.ok) throw new Error("That did not work. Please try again.");
    return response;
  };

  const take = async (box, file, row) => {
    const bar = row.querySelector("progress");
    const words = row.querySelector("span");
    try {
      const upload = await (await answer(await post(box.dataset.upload, { type: file.type, size: file.size }))).json();
      await send(upload, file, (part) => (bar.value = part));
      bar.removeAttribute("value");
      words.textContent = `${file.name}: taking it in`;
      const list = await (await answer(await post(box.dataset.finish, { key: upload.key }))).text();
      row.remove();
      return list;
    } catch (error) {
      bar.remove();
      words.textContent = `${file.name}: ${error.message}`;
      row.classList.add("field-error");
      return null;
    }
  };

  document.addEventListener("change", async (event) => {
    const box = event.target.closest("[data-upload]");
    if (!box) return;
    const files = [...event.target.files];
    event.target.value = "";
    const rows = files.map((file) => {
      const row = document.createElement("li");
      const words = Object.assign(document.createElement("span"), { textContent: file.name });
      const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
      row.append(words, bar);
      box.querySelector(".uploads").append(row);
      return row;
    });
    let last = null;
    // One after the other, so that they stand in the order they were chosen in.
    for (const [at, file] of files.entries()) last = (await take(box, file, rows[at])) ?? last;
    if (!last) return;
    const failed = [...box.querySelectorAll(".uploads li")];
    htmx.swap("#photographs", last, { swapStyle: "outerHTML" });
    document.querySelector("#photographs .uploads")?.append(...failed);
  });

  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  document.addEventListener("input", (event) => {
    const preview = document.querySelector(`[data-preview="${event.target.name}"]`);
    if (preview) preview.textContent = cut(event.target.value, Number(preview.dataset.most));
    const form = event.target.closest("#editor");
    if (form) form.querySelector("[data-unsaved]").hidden = false;
  });
})();
