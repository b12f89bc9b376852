// A hint beside a new password: how long it would hold. It only advises; the server decides.
(() => {
  const score = (s) => {
    if ([...s].length < 8) return 0;
    let pool = 0;
    for (const [re, n] of [[/[a-z]/, 26], [/[A-Z]/, 26], [/\d/, 10], [/[^a-zA-Z\d]/, 30]]) if (re.test(s)) pool += n;
    const different = new Set(s.toLowerCase()).size;
    const bits = Math.min([...s].length, different * 2) * Math.log2(pool || 1);
    return bits < 45 ? 1 : bits < 60 ? 2 : bits < 80 ? 3 : 4;
  };
  for (const box of document.querySelectorAll("[data-strength]")) {
    const input = document.getElementById(box.dataset.strength), words = box.dataset.words.split("|");
    const show = () => {
      const n = score(input.value);
      box.hidden = input.value === "";
      box.querySelector("meter").value = n;
      const says = box.querySelector("[role=status]");
      if (says.textContent !== words[n]) says.textContent = words[n];
    };
    input.addEventListener("input", show);
    show();
  }
})();
