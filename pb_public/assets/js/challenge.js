// Solves the proof of work of /api/site/challenge (ALTCHA 1) for each
// form[data-challenge], and for scripts: bungalow.challenge(origin) → {_t, _pow}.
(() => {
  "use strict";
  const K = [], H = [], W = [];
  const part = (x) => (x % 1 * 2 ** 32) | 0;
  for (let n = 2; K.length < 64; n++) {
    let d = 2;
    while (n % d) d++;
    if (d < n) continue;
    if (H.length < 8) H.push(part(n ** .5));
    K.push(part(Math.cbrt(n)));
  }
  const r = (x, n) => x >>> n | x << 32 - n;

  // sha256 of FIPS 180-4; crypto.subtle is missing without TLS.
  function sha256(text) {
    const bytes = new TextEncoder().encode(text), n = bytes.length;
    const m = new DataView(new ArrayBuffer(n + 72 >> 6 << 6));
    new Uint8Array(m.buffer).set(bytes);
    m.setUint8(n, 128);
    m.setUint32(m.byteLength - 4, n * 8);
    const s = [...H];
    for (let at = 0; at < m.byteLength; at += 64) {
      let [a, b, c, d, e, f, g, h] = s;
      for (let i = 0; i < 64; i++) {
        const x = W[i - 15], y = W[i - 2];
        W[i] = i < 16 ? m.getInt32(at + i * 4) : (r(x, 7) ^ r(x, 18) ^ x >>> 3) + W[i - 7] + (r(y, 17) ^ r(y, 19) ^ y >>> 10) + W[i - 16] | 0;
        const t = h + (r(e, 6) ^ r(e, 11) ^ r(e, 25)) + (e & f ^ ~e & g) + K[i] + W[i] | 0;
        const u = (r(a, 2) ^ r(a, 13) ^ r(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
        h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((v, i) => { s[i] = s[i] + v | 0; });
    }
    return s.map((v) => (v >>> 0).toString(16).padStart(8, 0)).join("");
  }

  async function challenge(origin = "") {
    const res = await fetch(origin + "/api/site/challenge", { credentials: "omit" });
    const { t, pow } = await res.json();
    const { algorithm, challenge, salt, signature } = pow;
    let number = 0, until = 0;
    while (sha256(salt + number) !== challenge && number++ < pow.maxnumber) {
      if (performance.now() < until) continue;
      await new Promise((go) => setTimeout(go));
      until = performance.now() + 12;
    }
    return { _t: t, _pow: btoa(JSON.stringify({ algorithm, challenge, number, salt, signature })) };
  }

  // A form that gets no challenge is sent as it is, and held.
  function serve(form) {
    let ready, go;
    const prepare = () => ready ||= challenge().then((fields) => {
      for (const name in fields) {
        const input = form.elements[name] || form.appendChild(document.createElement("input"));
        Object.assign(input, { type: "hidden", name, value: fields[name] });
      }
    }).catch(() => {});
    form.addEventListener("focusin", prepare, { once: true });
    form.addEventListener("submit", async (event) => {
      if (event.defaultPrevented || go) return;
      event.preventDefault();
      await prepare();
      go = true;
      form.requestSubmit(event.submitter);
      go = ready = null;
    });
  }

  window.bungalow = { ...window.bungalow, challenge, sha256 };
  document.querySelectorAll("form[data-challenge]").forEach(serve);
})();
