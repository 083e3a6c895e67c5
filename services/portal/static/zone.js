// Tells the server which time zone this browser is in, so that pages can be rendered in it; reloads once when it was not known,
// unless the page says (data-still) that it shows no hours.
"use strict";
const still = document.currentScript.dataset.still !== undefined;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.split("; ").find((each) => each.startsWith("roomsync_zone="));
const said = zone ? `roomsync_zone=${zone}` : "";
if (said && known !== said && !new URLSearchParams(location.search).has("zone")) {
  document.cookie = `${said}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  if (!still && document.cookie.includes(said) && !document.querySelector("form input:focus")) location.reload();
}
