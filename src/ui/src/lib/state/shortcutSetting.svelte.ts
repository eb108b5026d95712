const KEY = "bluebean.shortcuts";

/** Whether key shortcuts act, remembered in this browser. */
class ShortcutSetting {
  enabled = $state(localStorage.getItem(KEY) !== "off");

  choose(enabled: boolean): void {
    this.enabled = enabled;
    localStorage.setItem(KEY, enabled ? "on" : "off");
  }
}

export const shortcutSetting = new ShortcutSetting();
