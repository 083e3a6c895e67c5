// Asks how far the first sync is, and shows the page anew once it is through.
import { pageState } from "../page_state.js";

const body = document.body;
// Until the first sync is through, ask how far it is; then show the page anew, unless the person is on their way elsewhere.
let leaving = false;
addEventListener("beforeunload", () => (leaving = true));
export const watch = async () => {
  if (!["connecting", "first-sync"].includes(body.dataset.connection)) return;
  const answer = await fetch("/v1/me").catch(() => null);
  pageState.heard(answer);
  if (!leaving && answer?.ok && (await answer.json()).connection.state !== body.dataset.connection) return location.reload();
  setTimeout(watch, 2000);
};
