// Puts the nearest free room on each card.
import { idsOf } from "./cards.js";
import { choicesOf, where } from "./choices.js";
import { hold } from "./undo.js";
import { fill, WORDS } from "./words.js";

// The nearest room that is free stands on the card: asked for once a card, one card after the other, a dozen at most.
const MOST_SUGGESTED = 12;
let suggested = 0;
let queue = Promise.resolve();
export const suggest = (card) => {
  if (!card.querySelector("[data-suggest]") || card.dataset.suggested === idsOf(card).join() || suggested >= MOST_SUGGESTED) return;
  card.dataset.suggested = idsOf(card).join();
  suggested += 1;
  queue = queue.then(async () => {
    const found = await choicesOf(card).catch(() => null);
    const [choice] = found?.choices ?? [];
    const part = card.querySelector("[data-suggest]");
    if (!choice || !part || card.dataset.held) return;
    const key = crypto.randomUUID();
    const button = part.querySelector("[data-take-suggested]");
    button.textContent = fill(WORDS.takeRoom, { room: choice.name });
    button.onclick = () => hold(card, choice, key);
    const reasons = fill(WORDS.suggestedFor, { reasons: [...choice.reasons, where(choice)].filter(Boolean).join(" · ") });
    part.querySelector("[data-reasons]").textContent = [reasons, found.mails.words].filter(Boolean).join(" ");
    part.hidden = false;
  });
};
