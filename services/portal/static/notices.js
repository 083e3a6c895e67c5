// Asks for notices in this browser when its person presses the button, and not before. Without this script there is no button.
import { pageState } from "./page_state.js";

const WORKER = "/profile/notices/worker.js";
const SCOPE = "/profile/notices/";
const button = document.querySelector("[data-notices-button]");
const status = document.querySelector("[data-notices-status]");
const possible = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

// Under one scope a browser has one subscription. An older one may be another person's who used this browser, or of an older key.
const subscribe = async () => {
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await activated(registration);
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: button.dataset.applicationServerKey });
};
// Only an active worker may subscribe, and `serviceWorker.ready` waits for one whose scope has this page.
const activated = (registration) => new Promise((resolve, reject) => {
  if (registration.active) return resolve();
  const worker = registration.installing || registration.waiting;
  worker.addEventListener("statechange", () => {
    if (worker.state === "activated") resolve();
    if (worker.state === "redundant") reject(new Error("the worker was not installed"));
  });
});
const send = async (subscription) => {
  const { endpoint, keys } = subscription.toJSON();
  const answer = await fetch("/v1/me/browsers", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": document.querySelector("[name=csrf]").value },
    body: JSON.stringify({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }),
  }).catch(() => null);
  pageState.heard(answer);
  if (answer?.ok) return "";
  await subscription.unsubscribe();  // nobody would send to it
  const found = answer ? await answer.json().catch(() => ({})) : {};
  return [found.title, found.next].filter(Boolean).join(" ") || status.dataset.failed;
};
const renewList = async () => {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" }).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  const fresh = page?.querySelector("[data-notices-list]");
  if (fresh) document.querySelector("[data-notices-list]")?.replaceWith(document.adoptNode(fresh));
};
const ask = async () => {
  if (await Notification.requestPermission() !== "granted") return status.dataset.denied;
  const refused = await subscribe().then(send).catch(() => status.dataset.failed);
  if (refused) return refused;
  await renewList();
  return status.dataset.granted;
};

if (button && possible) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = await ask();
    button.disabled = false;
    button.focus();  // a button that is switched off loses it
  });
}
