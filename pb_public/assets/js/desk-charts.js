// Draws the course of each number from its table. The line, the area below it and the words at both ends say the same as
// the colour does, and the table stays for whoever can't see the drawing.
(() => {
  if (!window.uPlot) return;
  const boxes = [...document.querySelectorAll("[data-trend]")].map((box) => {
    const rows = [...box.querySelectorAll("tr")];
    return {
      plot: box.querySelector(".trend-plot"),
      labels: rows.map((r) => r.cells[0].textContent),
      values: rows.map((r) => Number(r.cells[1].textContent)),
    };
  }).filter((b) => b.values.length > 1);
  const lang = document.documentElement.lang, dates = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  const short = (label) => (/^\d{4}-\d\d-\d\d$/.test(label) ? dates.format(new Date(label)) : label);
  let drawn = [];
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
  const draw = () => {
    drawn.forEach((p) => p.destroy());
    const line = colour("--link"), area = colour("--tint"), text = colour("--muted"), edge = colour("--line");
    drawn = boxes.map((b) => new uPlot({
      width: b.plot.clientWidth, height: b.plot.clientHeight, cursor: { show: false }, legend: { show: false }, padding: [6, 20, 0, 0],
      scales: { x: { time: false }, y: { range: (u, min, max) => [Math.min(0, min), max > min ? max : min + 1] } },
      axes: [
        { stroke: text, font: "11px system-ui", size: 22, grid: { show: false }, ticks: { show: false }, splits: () => [0, b.labels.length - 1],
          values: (u, at) => at.map((i) => short(b.labels[i])) },
        { stroke: text, font: "11px system-ui", size: 34, grid: { stroke: edge, width: 1 }, ticks: { show: false }, splits: (u) => [u.scales.y.min, u.scales.y.max] },
      ],
      series: [{}, { stroke: line, fill: area, width: 2, points: { show: b.values.length < 15, size: 5, fill: line } }],
    }, [b.values.map((_, i) => i), b.values], b.plot));
  };
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let wait;
  addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(draw, 150); });
})();
