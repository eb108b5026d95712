export type Action =
  | "answer"
  | "hold"
  | "mute"
  | "note"
  | "hang_up"
  | "available"
  | "away"
  | "wrap_up"
  | "offline"
  | "search"
  | "list";

/** Physical keys, so that a Japanese layout or input method changes nothing. All with Alt. */
export const keys: Record<Action, { code: string; label: string }> = {
  answer: { code: "KeyA", label: "Alt+A" },
  hold: { code: "KeyH", label: "Alt+H" },
  mute: { code: "KeyM", label: "Alt+M" },
  note: { code: "KeyR", label: "Alt+R" },
  hang_up: { code: "KeyX", label: "Alt+X" },
  available: { code: "Digit1", label: "Alt+1" },
  away: { code: "Digit2", label: "Alt+2" },
  wrap_up: { code: "Digit3", label: "Alt+3" },
  offline: { code: "Digit4", label: "Alt+4" },
  search: { code: "KeyK", label: "Alt+K" },
  list: { code: "Slash", label: "Alt+/" },
};

type Press = Pick<KeyboardEvent, "altKey" | "ctrlKey" | "metaKey" | "shiftKey" | "isComposing" | "code">;

/** The action a key press means, or null. */
export function actionOf(press: Press): Action | null {
  if (!press.altKey || press.ctrlKey || press.metaKey || press.shiftKey || press.isComposing) return null;
  for (const action of Object.keys(keys) as Action[]) {
    if (keys[action].code === press.code) return action;
  }
  return null;
}
