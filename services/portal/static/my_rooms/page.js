// Keeps "My rooms" live. Everything here also works without it: links, forms, reload.
import { idsOf, showNote } from "./cards.js";
import { choose } from "./choices.js";
import { byId } from "./elements.js";
import { watch } from "./first_sync.js";
import { arrange, onRoom } from "./meetings.js";
import { dropSeen } from "./outcomes.js";
import { count } from "./prompt_list.js";
import { onClosed, onPrompt, onSnapshot } from "./prompts.js";
import { post, problem } from "./requests.js";
import { listen } from "./stream.js";
import { suggest } from "./suggestions.js";
import "./take_all.js";
import { CLOCK, countDown, localise, SHORT_DAY } from "./times.js";
import { bringTitles } from "./titles.js";
import { fill, WORDS } from "./words.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-choose]");
  if (!button) return;
  event.preventDefault();
  choose(button.closest("[data-prompt]"));
});
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.matches?.("[data-choose]")) {
    event.preventDefault();
    event.target.click();
  }
});
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-dismiss]");
  if (!form) return;
  event.preventDefault();
  const card = form.closest("[data-prompt]");
  const [id, ...also] = idsOf(card);
  try {
    const answer = await post(`/v1/me/prompts/${id}/dismiss`, { also });
    if (!answer.ok) throw new Error(await problem(answer));
    const found = await answer.json();
    [found, ...found.also].forEach(onClosed);
  } catch (error) {
    showNote(card, error.message);
  }
});

localise(byId("meetings"), false);
localise(byId("prompts"), true);
for (const time of document.querySelectorAll("[data-instant]")) time.textContent = `${SHORT_DAY.format(new Date(time.dateTime))}, ${CLOCK.format(new Date(time.dateTime))}`;
byId("zone").textContent = ` ${fill(WORDS.zone, { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}`;
arrange();
count();
countDown();
setInterval(countDown, 60000);
dropSeen();
bringTitles();
document.querySelectorAll("[data-prompt]").forEach(suggest);
listen({
  room: onRoom,
  prompt: onPrompt,
  "prompt-closed": onClosed,
  "many-at-once": (found) => { byId("many").hidden = !found.lasts; },
  snapshot: onSnapshot,
  rebuilding: () => { byId("rebuilding").hidden = false; },
});
watch();
