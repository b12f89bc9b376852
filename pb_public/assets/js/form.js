// Sends form[data-form] without leaving the page while something is to be
// mended. Without this script the browser does the same with two pages.
(() => {
  "use strict";

  function clear(form) {
    for (const field of form.querySelectorAll("[data-field]")) {
      const line = field.querySelector(".error");
      if (line) { line.hidden = true; line.textContent = ""; }
      for (const input of field.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    }
    form.parentElement.querySelectorAll(".form-wrong").forEach((box) => box.remove());
  }

  function describe(control, id) {
    const ids = new Set((control.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
    ids.add(id);
    control.setAttribute("aria-describedby", [...ids].join(" "));
  }

  // mark puts the messages beside the fields and goes to the first of them.
  function mark(form, problems, message) {
    let first = null;
    const left = [];
    for (const [name, problem] of Object.entries(problems)) {
      const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
      const line = field && field.querySelector(":scope > .error");
      if (!line) { left.push(problem.message); continue; }
      line.textContent = problem.message;
      line.hidden = false;
      const control = field.matches("fieldset") ? field : field.querySelector("input, select, textarea");
      if (!field.matches("fieldset")) control.setAttribute("aria-invalid", "true");
      describe(control, line.id);
      const at = field.matches("fieldset") ? field.querySelector("input") : control;
      if (!first || at.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING) first = at;
    }
    if (first && !left.length) { first.focus(); return; }
    const box = document.createElement("p");
    box.className = "notice error form-wrong";
    box.setAttribute("role", "alert");
    box.textContent = left.join(" ") || message;
    form.before(box);
    (first || box).focus?.();
  }

  async function send(form) {
    const answer = await fetch(form.action, {
      method: "POST", body: form.enctype === "multipart/form-data" ? new FormData(form) : new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" }, credentials: "same-origin",
    });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) {
      window.location.assign(body.next || form.action + "?notice=sent");
      return true;
    }
    mark(form, body.data || {}, body.message || form.dataset.failed);
    return false;
  }

  function serve(form) {
    let busy = false;
    const button = form.querySelector("button[type=submit]");
    const status = form.querySelector(".form-status");
    form.addEventListener("submit", async (event) => {
      if (event.defaultPrevented) return; // the challenge is still being solved
      event.preventDefault();
      if (busy) return;
      busy = true;
      button.setAttribute("aria-disabled", "true");
      status.textContent = form.dataset.sending;
      clear(form);
      let gone = false;
      try {
        gone = await send(form);
      } catch {
        mark(form, {}, form.dataset.failed);
      }
      if (gone) return;
      busy = false;
      button.removeAttribute("aria-disabled");
      status.textContent = "";
    });
  }

  document.querySelectorAll("form[data-form]:not([data-ready])").forEach((form) => { form.dataset.ready = "1"; serve(form); });
  // After a redirect or a page with errors, what matters is read first.
  document.querySelector(".form-done, .form-wrong")?.focus();
})();
