// Charges an order: well, slowly, with a thrown error, or never (a timeout), as the order's `scenario` says.
// Logs as Node functions do: console lines, JSON lines, an uncaught error. See ../api/app.py for the markers.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const INSTANCE = randomUUID().replaceAll("-", "").slice(0, 12);
console.log(`payment is starting mk=${process.env.DEMO_RUN ?? "none"}:${INSTANCE}:init`);

export const handler = async (order) => {
  const mark = `mk=${order.run}:${order.id}:`;
  console.info(`charging ${order.amount} ${mark}payment-charging`);
  console.log(JSON.stringify({ level: "info", message: "card checked", mark: `${mark}payment-checked`, card: { brand: "visa" } }));

  if (order.scenario === "slow") {
    await sleep(900);
    console.warn(`the bank is slow ${mark}payment-slow`);
  }
  if (order.scenario === "timeout") {
    console.error(`no answer from the bank ${mark}payment-stuck`);
    await sleep(60_000);
  }
  if (order.scenario === "error") {
    throw new Error(`card declined ${mark}payment-declined`);
  }
  return { instance: INSTANCE, charged: order.amount };
};
