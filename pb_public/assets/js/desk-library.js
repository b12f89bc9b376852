// The library's pages beyond plain HTML: uploads with progress, files that are dropped, the point that stays in sight.
(() => {
  const form = document.querySelector("[data-upload]");
  if (form) uploads(form);
  const focal = document.querySelector("[data-focal]");
  if (focal) point(focal, document.querySelector("[data-focal-frame]"));

  function uploads(form) {
    const field = form.querySelector("input[type=file]"), list = form.querySelector(".upload-list");
    const waiting = [];
    let running = 0, kept = 0;
    form.querySelector("[data-drop-hint]").hidden = false;

    form.addEventListener("submit", (e) => {
      e.preventDefault();
      take(field.files);
      form.reset();
    });
    let depth = 0;
    const files = (e) => [...(e.dataTransfer?.types || [])].includes("Files");
    addEventListener("dragenter", (e) => { if (files(e)) { depth++; form.classList.add("over"); } });
    addEventListener("dragleave", (e) => { if (files(e) && --depth <= 0) { depth = 0; form.classList.remove("over"); } });
    addEventListener("dragover", (e) => { if (files(e)) e.preventDefault(); });
    addEventListener("drop", (e) => {
      if (!files(e)) return;
      e.preventDefault();
      depth = 0;
      form.classList.remove("over");
      take(e.dataTransfer.files);
    });
    addEventListener("paste", (e) => { if (e.clipboardData?.files.length) take(e.clipboardData.files); });
    addEventListener("beforeunload", (e) => { if (running) e.preventDefault(); });

    function take(files) {
      for (const file of files) {
        const row = document.createElement("li");
        const name = Object.assign(document.createElement("span"), { className: "name", textContent: file.name });
        const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
        const state = Object.assign(document.createElement("span"), { className: "state" });
        row.append(name, bar, state);
        list.append(row);
        waiting.push({ file, row, bar, state });
      }
      list.hidden = !list.childElementCount;
      next();
    }

    // Two files travel at a time, each in a request of its own, so that each has its progress and its fault.
    function next() {
      while (running < 2 && waiting.length) send(waiting.shift());
      if (!running && !waiting.length && kept) { kept = 0; refresh(); }
    }

    function send(one) {
      running++;
      const body = new FormData(), request = new XMLHttpRequest();
      body.append("files", one.file);
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.onprogress = (e) => { if (e.lengthComputable) one.bar.value = e.loaded / e.total; };
      request.onloadend = () => {
        running--;
        const answer = Array.isArray(request.response) ? request.response[0] : null;
        if (request.status === 200 && answer) {
          kept++;
          one.row.classList.add("kept");
          one.state.textContent = form.dataset.done;
        } else {
          one.row.classList.add("failed");
          one.state.textContent = answer?.error || (request.status === 413 ? form.dataset.large : request.response?.message) || form.dataset.failed;
        }
        if (request.status === 401) location.href = "/desk/sign-in/?next=" + encodeURIComponent(location.pathname + location.search);
        next();
      };
      request.send(body);
    }

    // The list is fetched again; what arrived leaves the progress list, what failed stays.
    async function refresh() {
      await htmx.ajax("GET", location.href, { target: "#files", select: "#files", swap: "outerHTML" });
      list.querySelectorAll(".kept").forEach((row) => row.remove());
      list.hidden = !list.childElementCount;
    }
  }

  function point(box, frame) {
    const x = box.querySelector("#focal-x"), y = box.querySelector("#focal-y"), crops = box.querySelector(".crops");
    if (!frame) return;
    const mark = Object.assign(document.createElement("span"), { className: "focal-point" });
    frame.append(mark);
    frame.classList.add("chooses");
    crops.hidden = false;
    const draw = () => {
      mark.style.left = x.value + "%";
      mark.style.top = y.value + "%";
      crops.querySelectorAll("img").forEach((img) => { img.style.objectPosition = `${x.value}% ${y.value}%`; });
    };
    const at = (e) => {
      const area = frame.querySelector("img").getBoundingClientRect();
      x.value = Math.round(100 * (e.clientX - area.left) / area.width);
      y.value = Math.round(100 * (e.clientY - area.top) / area.height);
      draw();
    };
    frame.addEventListener("pointerdown", (e) => {
      e.preventDefault();
      at(e);
      frame.setPointerCapture(e.pointerId);
      frame.onpointermove = at;
    });
    frame.addEventListener("pointerup", () => { frame.onpointermove = null; });
    x.addEventListener("input", draw);
    y.addEventListener("input", draw);
    draw();
  }

  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href);
      button.lastChild.textContent = button.dataset.copied;
    });
  });
})();
