import { describe, expect, it } from "vitest";
import type { Customer } from "../api/types";
import { problems, shown } from "./customer.svelte";

const customer: Customer = {
  id: "u1",
  campaign: "c1",
  code: "C-1",
  name: "高橋 由美子",
  kana: "タカハシ ユミコ",
  phone: "+81355550142",
  phone_alt: null,
  email: "",
  postcode: "",
  address: "",
  handover: "",
  extra: [],
  version: 1,
  updated_at: 0,
};

describe("customer fields", () => {
  it("show numbers as people write them", () => {
    expect(shown(customer)).toMatchObject({ phone: "03-5555-0142", phone_alt: "" });
  });

  it("accept what is stored, and empty fields", () => {
    expect(problems(shown(customer))).toEqual({});
  });

  it("name each wrong field", () => {
    const wrong = { ...shown(customer), phone: "03-abc", email: "x", postcode: "12" };
    expect(problems(wrong)).toEqual({ phone: "fieldPhone", email: "fieldEmail", postcode: "fieldPostcode" });
    expect(
      problems({ ...shown(customer), phone: "０３－５５５５－０１４２", postcode: "１５０-０００２" }),
    ).toEqual({});
  });
});
