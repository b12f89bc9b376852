// Adds a link to the desk to the head of PocketBase's dashboard. Whoever follows it gets a session of the desk for the
// dashboard's sign-in. Nothing here may throw: an exception would take the dashboard along.
try {
  app.store.headerLinks.push({ href: "/desk/", icon: "ri-home-4-line", label: "Desk" });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a.header-link[href="/desk/"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    fetch("/desk/enter/", { method: "POST", headers: { Authorization: app.pb.authStore.token, Accept: "application/json" } })
      .catch(() => {}).then(() => location.assign("/desk/"));
  }, true);
} catch (error) {
  console.warn("The link to the desk could not be added:", error);
}
