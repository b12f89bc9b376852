// Sets every accent of a grid in both colour schemes and returns the pairs of
// tokens that came out with too little contrast (WCAG 2.2, 1.4.3 and 1.4.11).
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  const luminance = (token) => {
    probe.style.color = `var(${token})`;
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const text = 4.5, shape = 3, pairs = [
    ["--text", "--bg", text], ["--text", "--surface", text], ["--text", "--mark", text], ["--text", "--code-add", text], ["--text", "--code-remove", text],
    ["--muted", "--bg", text], ["--muted", "--surface", text], ["--link", "--bg", text], ["--link", "--surface", text], ["--on-link", "--link", text],
    ["--edge", "--bg", shape], ["--error", "--bg", text], ["--success", "--bg", text], ["--warning", "--bg", text],
    ...["comment", "keyword", "string", "number", "name", "type", "tag"].map((x) => ["--code-" + x, "--surface", text]),
  ];
  const bad = [], steps = [0, 64, 128, 191, 255];
  for (const scheme of ["light", "dark"]) {
    document.documentElement.dataset.theme = scheme;
    for (const r of steps) for (const g of steps) for (const b of steps) {
      document.documentElement.style.setProperty("--accent", `rgb(${r} ${g} ${b})`);
      const seen = {};
      const of = (token) => seen[token] ??= luminance(token);
      for (const [front, back, least] of pairs) {
        const ratio = (Math.max(of(front), of(back)) + 0.05) / (Math.min(of(front), of(back)) + 0.05);
        if (!(ratio >= least)) bad.push(`${scheme}, accent ${r} ${g} ${b}: ${front} on ${back} is ${ratio.toFixed(2)}`);
      }
    }
  }
  return bad;
})()
