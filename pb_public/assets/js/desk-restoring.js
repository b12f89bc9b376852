// While the site starts again with a backup: look until it is back, then go there.
(() => {
  let down = false;
  const look = async () => {
    try {
      const ready = (await fetch("/readyz", { cache: "no-store" })).ok;
      if (ready && down) { location.href = "/desk/"; return; }
      down ||= !ready;
    } catch { down = true; }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
})();
