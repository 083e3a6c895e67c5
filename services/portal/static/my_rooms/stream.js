// Listens to the stream of the person's rooms and prompts, and connects again when it breaks or falls silent.
import { pageState } from "../page_state.js";
import { byId } from "./elements.js";
import { WORDS } from "./words.js";

const SILENT_MS = 25000;  // two beats and a half
const live = (text) => { byId("live").textContent = text; };
let last = document.body.dataset.cursor;
let acts = {};
const follow = () => {
  const source = new EventSource(`/v1/me/stream?after=${encodeURIComponent(last)}`);
  const on = (name, act) => source.addEventListener(name, (event) => {
    if (event.lastEventId) last = event.lastEventId;
    heardAt = Date.now();
    act(JSON.parse(event.data));
  });
  for (const [name, act] of Object.entries(acts)) on(name, act);
  source.addEventListener("replaced", () => {
    source.close();
    live(WORDS.replaced);
  });
  source.onopen = () => { heardAt = Date.now(); live(WORDS.live); };
  source.onerror = () => {
    live(WORDS.reconnecting);
    pageState.check();  // a stream ends now and then; whether more is wrong, one question tells
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(follow, 15000);  // refused: signed out, or no seat
  };
  stream = source;
};
// A connection that is cut without a word gives no error: the beats stop.
let heardAt = Date.now();
let stream = null;
let retry = 0;
setInterval(async () => {
  if (stream?.readyState === EventSource.CLOSED || Date.now() - heardAt < SILENT_MS) return;
  heardAt = Date.now();
  if (!await pageState.check()) return;
  clearTimeout(retry);
  stream?.close();
  follow();
}, 1000);
// `handlers` says what to do with what each name of an event brings.
export const listen = (handlers) => {
  acts = { heartbeat: () => {}, ...handlers };
  follow();
};
