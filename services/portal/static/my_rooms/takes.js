// Takes a room for a card, and follows the take to its end.
import { datesOf, idsOf, showNote } from "./cards.js";
import { addOutcome } from "./outcomes.js";
import { post, problem } from "./requests.js";
import { fill, WORDS } from "./words.js";

export const take = async (card, choice, key) => {
  const buttons = card.querySelectorAll(".panel button, .suggest button, .actions button, .actions .button");
  buttons.forEach((button) => { button.inert = true; });
  showNote(card, fill(WORDS.asking, { room: choice.name }));
  const failed = (error) => {
    showNote(card, error.message);
    buttons.forEach((button) => { button.inert = false; });
  };
  const [id, ...also] = idsOf(card);
  const title = card.querySelector("[data-title]").textContent;
  const lines = datesOf(card).map((date) => `${date.dataset.occurrence}.${choice.roomId}`);
  try {
    const answer = await post(`/v1/me/prompts/${id}/take`, { roomId: choice.roomId, also, wholeSeries: choice.wholeSeries }, { "Idempotency-Key": key });
    if (!answer.ok) throw new Error(await problem(answer));
    const first = await answer.json();
    Promise.all([first, ...first.also].map((taken) => outcome(card, taken.href)))
      .then(() => addOutcome(title, choice, lines, first.takeId))
      .catch(failed);
    card.dataset.taken = choice.roomId;
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
};
const outcome = async (card, href) => {
  for (let tries = 0; tries < 60; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const answer = await fetch(href);
    if (!answer.ok) continue;
    const found = await answer.json();
    if (found.state === "asked") continue;
    if (found.state === "failed") throw new Error([found.words, found.why].filter(Boolean).join(" "));
    if (!card.classList.contains("closed")) showNote(card, found.words);
    return;
  }
  throw new Error(WORDS.slow);
};
