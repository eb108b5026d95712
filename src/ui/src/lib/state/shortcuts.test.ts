import { describe, expect, it } from "vitest";
import { actionOf } from "./shortcuts";

const press = {
  altKey: true,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  isComposing: false,
  code: "KeyA",
};

describe("shortcuts", () => {
  it("go by the physical key with Alt alone", () => {
    expect(actionOf(press)).toBe("answer");
    expect(actionOf({ ...press, code: "Digit4" })).toBe("offline");
    expect(actionOf({ ...press, altKey: false })).toBeNull();
    expect(actionOf({ ...press, ctrlKey: true })).toBeNull();
    expect(actionOf({ ...press, code: "KeyD" })).toBeNull();
  });

  it("keep out of an input method's way", () => {
    expect(actionOf({ ...press, isComposing: true })).toBeNull();
  });
});
