// Sends what a person does, and says why it was refused.
import { pageState } from "../page_state.js";
import { WORDS } from "./words.js";

const csrf = document.body.dataset.csrf;
export const post = async (path, data, headers = {}) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf, ...headers },
    body: JSON.stringify(data),
    keepalive: true,
  }).catch(() => null);
  pageState.heard(answer);
  if (!answer) throw new Error(WORDS.failed);
  return answer;
};
export const problem = async (answer) => {
  const found = await answer.json().catch(() => ({}));
  return [found.title, found.next].filter(Boolean).join(" ") || WORDS.failed;
};
