// Passkeys: browsers speak of them to scripts alone. Buffers travel as base64url.
(() => {
  if (!window.PublicKeyCredential) return;
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((c) => ({ ...c, id: bytes(c.id) }));

  const post = async (url, body) => {
    const res = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
    const answer = await res.json();
    if (!res.ok) throw new Error(answer.message);
    return answer;
  };
  const said = (c, names) => ({
    id: c.id, rawId: text(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment || undefined, clientExtensionResults: c.getClientExtensionResults(),
    response: Object.fromEntries(names.filter((n) => c.response[n]).map((n) => [n, text(c.response[n])])),
  });
  const tell = (box, message) => { box.textContent = message; box.hidden = !message; };

  const button = document.querySelector("[data-passkey]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const error = document.querySelector("[data-passkey-error]");
      tell(error, "");
      button.disabled = true;
      try {
        const start = await post("/desk/sign-in/passkey/start/", {});
        const publicKey = start.options.publicKey;
        publicKey.challenge = bytes(publicKey.challenge);
        publicKey.allowCredentials = ids(publicKey.allowCredentials);
        const credential = await navigator.credentials.get({ publicKey });
        const end = await post("/desk/sign-in/passkey/", {
          token: start.token, next: button.dataset.next,
          credential: said(credential, ["clientDataJSON", "authenticatorData", "signature", "userHandle"]),
        });
        location.assign(end.next);
      } catch (e) {
        tell(error, e.name === "Error" && e.message || button.dataset.failed);
        button.disabled = false;
      }
    });
  }

  const form = document.querySelector("[data-passkey-new]");
  if (form) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const error = form.querySelector("[role=alert]"), send = form.querySelector("button");
      tell(error, "");
      send.disabled = true;
      try {
        const start = await post("/desk/account/passkeys/start/", { password: form.elements.passkey_password.value });
        const publicKey = start.options.publicKey;
        publicKey.challenge = bytes(publicKey.challenge);
        publicKey.user.id = bytes(publicKey.user.id);
        publicKey.excludeCredentials = ids(publicKey.excludeCredentials);
        const credential = await navigator.credentials.create({ publicKey });
        const made = said(credential, ["clientDataJSON", "attestationObject"]);
        made.response.transports = credential.response.getTransports?.() || [];
        await post("/desk/account/passkeys/", { token: start.token, name: form.elements.passkey_name.value, credential: made });
        location.reload();
      } catch (e) {
        tell(error, e.name === "Error" && e.message || form.dataset.failed);
        send.disabled = false;
      }
    });
  }
})();
