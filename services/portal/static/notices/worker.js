// Shows what the notifier sends to this browser, also while no page of ours is open. It keeps nothing, and no request of a page
// goes by it.
//
// When the browser takes its subscription away or gives another (`pushsubscriptionchange`), nothing is done here: a new one needs
// the person's session and a question to them. The old endpoint then answers 410, the notifier forgets it, and the profile says so
// until its person asks for notices in this browser again.

// For a message that cannot be read: the browser would otherwise show words of its own, or take the subscription away.
const UNREADABLE = {
  en: "There is news of your rooms. Your page has it.",
  de: "Zu Ihren Räumen gibt es Neues. Es steht auf Ihrer Seite.",
  fr: "Il y a du nouveau pour vos salles. Votre page vous le montre.",
  nl: "Er is nieuws over je ruimtes. Het staat op je pagina.",
};

const neutral = () => {
  const lang = navigator.language.split("-")[0] in UNREADABLE ? navigator.language.split("-")[0] : "en";
  return { id: "", title: "roomsync", body: UNREADABLE[lang], lang, tag: "roomsync", open: "/", stop: "", off: "" };
};
// The fields are those of `BrowserNotice` in services/notifier/channels/browser.py.
const read = (data) => {
  try {
    const notice = data.json();
    return typeof notice.title === "string" && notice.title && notice.tag ? notice : neutral();
  } catch {
    return neutral();
  }
};
// An address of ours, or "": whatever a message says, nobody is led elsewhere from here.
const own = (address) => {
  const found = URL.canParse(address, location.origin) ? new URL(address, location.origin) : null;
  return address && found?.origin === location.origin ? found.href : "";
};

const show = async (notice) => {
  const standing = await registration.getNotifications({ tag: notice.tag });
  const stop = own(notice.stop);
  await registration.showNotification(notice.title, {
    body: notice.body,
    lang: notice.lang,
    dir: "auto",
    tag: notice.tag,  // a newer one takes the place of the one that stands
    renotify: !standing.some((each) => each.data?.id === notice.id),  // one that came twice makes no second sound
    actions: stop ? [{ action: "stop", title: notice.off }] : [],
    data: { id: notice.id, open: own(notice.open) || own("/"), stop },
  });
};

const lead = async (address) => {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === address);
  return there ? there.focus() : clients.openWindow(address);
};
// The link proves whose notices end, without a session. If it cannot be posted, the page behind it has a button that does the same.
const switchOff = async (address) => {
  const answer = await fetch(address, { method: "POST", credentials: "omit", redirect: "error" }).catch(() => null);
  if (!answer?.ok) return lead(address);
  const subscription = await registration.pushManager.getSubscription();
  return subscription?.unsubscribe();
};

addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { open, stop } = event.notification.data;
  event.waitUntil(event.action === "stop" ? switchOff(stop) : lead(open));
});
