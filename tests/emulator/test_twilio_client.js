// SPDX-License-Identifier: BSD-2-Clause
// Copyright (c) 2026, the pam_twilio_verify authors
//
// Twilio's own library against the emulator. run_twilio_client installs the one and starts the other.
"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const { test } = require("node:test");
const twilio = require("twilio");
const RequestClient = require("twilio/lib/base/RequestClient");

const {
  EMULATOR_URL,
  EMULATOR_CA_FILE,
  EMULATOR_ACCOUNT_SID,
  EMULATOR_SERVICE_SID,
  EMULATOR_API_KEY_SID,
  EMULATOR_API_KEY_SECRET,
  EMULATOR_AUTH_TOKEN,
} = process.env;

// The library has no word for another host; all but the host stays as it made it.
class EmulatorClient extends RequestClient {
  constructor() {
    super({ ca: fs.readFileSync(EMULATOR_CA_FILE) });
  }

  request(options) {
    const uri = new URL(options.uri);
    assert.strictEqual(uri.origin, "https://verify.twilio.com");
    return super.request({ ...options, uri: EMULATOR_URL + uri.pathname + uri.search });
  }
}

function connect(user = EMULATOR_API_KEY_SID, secret = EMULATOR_API_KEY_SECRET) {
  const options = { accountSid: EMULATOR_ACCOUNT_SID, httpClient: new EmulatorClient() };
  return twilio(user, secret, options).verify.v2;
}

const verify = connect();

function service() {
  return verify.services(EMULATOR_SERVICE_SID);
}

function entity(identity) {
  return service().entities(identity);
}

function decode(base32) {
  let bits = "";
  for (const letter of base32)
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

// RFC 6238: sha1, 30 s, 6 digits.
function code(secret) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const digest = crypto.createHmac("sha1", decode(secret)).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
}

// A code that is none of the right ones, as far as one can tell.
function wrong(secret) {
  return String((Number(code(secret)) + 500000) % 1000000).padStart(6, "0");
}

async function enroll(identity) {
  const factor = await entity(identity).newFactors.create({
    friendlyName: "test",
    factorType: "totp",
  });
  const { secret } = factor.binding;
  await entity(identity).factors(factor.sid).update({ authPayload: code(secret) });
  return { sid: factor.sid, secret };
}

// A device's key and the form that makes its factor.
function phone() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = publicKey.export({ type: "spki", format: "der" });
  return {
    privateKey,
    form: {
      friendlyName: "phone",
      factorType: "push",
      "binding.alg": "ES256",
      "binding.publicKey": der.toString("base64"),
      "config.appId": "com.example.app",
      "config.notificationPlatform": "fcm",
      "config.notificationToken": "0".repeat(40),
      "config.sdkVersion": "2.0.0",
    },
  };
}

// RFC 7515: ES256.
function jwt(key, payload) {
  const parts = [{ typ: "JWT", alg: "ES256" }, payload];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = crypto.sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

// The library gives no header of a reply, and dates not as they were sent.
function get(url) {
  const options = {
    ca: fs.readFileSync(EMULATOR_CA_FILE),
    auth: `${EMULATOR_API_KEY_SID}:${EMULATOR_API_KEY_SECRET}`,
  };
  return new Promise((done, failed) =>
    https
      .get(EMULATOR_URL + new URL(url).pathname, options, async (reply) =>
        done({ headers: reply.headers, body: JSON.parse((await reply.toArray()).join("")) })
      )
      .on("error", failed)
  );
}

function refusedWith(status, number) {
  return (error) => {
    assert.deepStrictEqual([error.status, error.code], [status, number], error);
    return true;
  };
}

test("a service is created, updated, listed and removed", async () => {
  const made = await verify.services.create({
    friendlyName: "Doors",
    "totp.issuer": "ACME & Söhne",
    "totp.skew": 2,
  });
  assert.strictEqual(made.totp.issuer, "ACME & Söhne");
  assert.strictEqual(made.totp.skew, 2);
  const updated = await verify.services(made.sid).update({ friendlyName: "Gates" });
  assert.strictEqual(updated.friendlyName, "Gates");
  const sids = (await verify.services.list()).map(({ sid }) => sid);
  assert.deepStrictEqual(sids, [EMULATOR_SERVICE_SID, made.sid]);
  assert.strictEqual(await verify.services(made.sid).remove(), true);
  await assert.rejects(verify.services(made.sid).fetch(), refusedWith(404, 20404));
});

test("a service for logins is made and found on a later page", async () => {
  const made = [];
  for (let i = 0; i < 5; i++)
    made.push(
      await verify.services.create({
        friendlyName: `Logins ${i}`,
        "totp.issuer": `Logins ${i}`,
        "totp.codeLength": 6,
        "totp.timeStep": 30,
        "totp.skew": 1,
      })
    );
  const listed = await verify.services.list({ pageSize: 2 });
  const { sid, accountSid, totp } = listed.find(({ friendlyName }) => friendlyName === "Logins 4");
  assert.strictEqual(sid, made[4].sid);
  assert.strictEqual(accountSid, EMULATOR_ACCOUNT_SID);
  assert.deepStrictEqual(totp, { issuer: "Logins 4", time_step: 30, code_length: 6, skew: 1 });
  for (const { sid } of made) assert.strictEqual(await verify.services(sid).remove(), true);
});

test("an entity is created, fetched and removed", async () => {
  const made = await service().entities.create({ identity: "entity-000001" });
  assert.strictEqual(made.identity, "entity-000001");
  assert.ok(made.dateCreated instanceof Date && !isNaN(made.dateCreated));
  assert.strictEqual((await entity("entity-000001").fetch()).sid, made.sid);
  await assert.rejects(
    service().entities.create({ identity: "entity-000001" }),
    refusedWith(409, 60301)
  );
  assert.strictEqual(await entity("entity-000001").remove(), true);
  await assert.rejects(entity("entity-000001").fetch(), refusedWith(404, 20404));
});

test("a factor is unverified until its first right code", async () => {
  const made = await entity("factor-000001").newFactors.create({
    friendlyName: "John’s Account Name",
    factorType: "totp",
    "config.alg": "sha1",
    "config.codeLength": 6,
    metadata: { os: "Android" },
  });
  assert.strictEqual(made.status, "unverified");
  assert.match(made.binding.uri, /^otpauth:\/\/totp\/Emulator:John%E2%80%99s%20Account%20Name\?/);
  const factor = entity("factor-000001").factors(made.sid);
  const { secret } = made.binding;
  assert.strictEqual((await factor.update({ authPayload: wrong(secret) })).status, "unverified");
  assert.strictEqual((await factor.update({ authPayload: code(secret) })).status, "verified");
  const fetched = await factor.fetch();
  assert.strictEqual(fetched.status, "verified");
  assert.deepStrictEqual(fetched.config, { alg: "sha1", skew: 1, code_length: 6, time_step: 30 });
  const listed = await entity("factor-000001").factors.list();
  assert.deepStrictEqual(listed.map(({ sid }) => sid), [made.sid]);
  assert.strictEqual(await factor.remove(), true);
  await assert.rejects(factor.fetch(), refusedWith(404, 20404));
});

test("a code that comes with the creation of a challenge approves it", async () => {
  const { sid, secret } = await enroll("create-000001");
  const challenges = entity("create-000001").challenges;
  const right = await challenges.create({ factorSid: sid, authPayload: code(secret) });
  assert.strictEqual(right.status, "approved");
  const failed = await challenges.create({ factorSid: sid, authPayload: wrong(secret) });
  assert.strictEqual(failed.status, "pending");
});

test("a challenge is pending after a wrong code and approved after the right one", async () => {
  const { sid, secret } = await enroll("update-000001");
  const made = await entity("update-000001").challenges.create({
    factorSid: sid,
    expirationDate: new Date(Date.now() + 600000),
    "details.message": "Let Ålice in?",
    "details.fields": [
      { label: "Host", value: "web1" },
      { label: "From", value: "192.0.2.1" },
    ],
    hiddenDetails: { ip: "192.0.2.1" },
  });
  assert.strictEqual(made.status, "pending");
  assert.strictEqual(made.details.message, "Let Ålice in?");
  assert.strictEqual(made.details.fields.length, 2);
  assert.deepStrictEqual(made.hiddenDetails, { ip: "192.0.2.1" });
  assert.ok(made.expirationDate - made.dateCreated > 590000);
  const challenge = entity("update-000001").challenges(made.sid);
  assert.strictEqual((await challenge.update({ authPayload: wrong(secret) })).status, "pending");
  const approved = await challenge.update({ authPayload: code(secret) });
  assert.strictEqual(approved.status, "approved");
  assert.ok(approved.dateResponded instanceof Date && !isNaN(approved.dateResponded));
  assert.strictEqual((await challenge.fetch()).status, "approved");
  await assert.rejects(challenge.update({ authPayload: code(secret) }), refusedWith(403, 60322));
});

test("the sixth attempt is refused with 60308", async () => {
  const { sid, secret } = await enroll("limit-000001");
  const made = await entity("limit-000001").challenges.create({ factorSid: sid });
  const challenge = entity("limit-000001").challenges(made.sid);
  for (let i = 0; i < 5; i++)
    assert.strictEqual((await challenge.update({ authPayload: wrong(secret) })).status, "pending");
  await assert.rejects(challenge.update({ authPayload: code(secret) }), refusedWith(429, 60308));
});

test("list and each walk all pages, with filters", async () => {
  const { sid, secret } = await enroll("pages-000001");
  const other = await enroll("pages-000001");
  const challenges = entity("pages-000001").challenges;
  const sids = [];
  for (let i = 0; i < 7; i++) sids.push((await challenges.create({ factorSid: sid })).sid);
  await challenges.create({ factorSid: other.sid });
  await entity("pages-000001").challenges(sids[2]).update({ authPayload: code(secret) });

  const all = await challenges.list({ factorSid: sid, pageSize: 2 });
  assert.deepStrictEqual(all.map((challenge) => challenge.sid), sids);
  const newest = await challenges.list({ factorSid: sid, order: "desc", pageSize: 3 });
  assert.deepStrictEqual(newest.map((challenge) => challenge.sid), [...sids].reverse());
  const approved = await challenges.list({ status: "approved", pageSize: 1 });
  assert.deepStrictEqual(approved.map((challenge) => challenge.sid), [sids[2]]);
  assert.strictEqual((await challenges.list({ limit: 4, pageSize: 3 })).length, 4);
  const seen = [];
  await new Promise((done, failed) =>
    challenges.each({
      factorSid: sid,
      pageSize: 3,
      callback: (challenge) => seen.push(challenge.sid),
      done: (error) => (error ? failed(error) : done()),
    })
  );
  assert.deepStrictEqual(seen, sids);
});

test("pages lead forth and back", async () => {
  const { sid } = await enroll("pages-000002");
  const challenges = entity("pages-000002").challenges;
  for (let i = 0; i < 5; i++) await challenges.create({ factorSid: sid });
  const first = await challenges.page({ pageSize: 2 });
  const second = await first.nextPage();
  const third = await second.nextPage();
  assert.strictEqual(third.instances.length, 1);
  assert.strictEqual(third.nextPage(), undefined);
  const back = await third.previousPage();
  assert.deepStrictEqual(
    back.instances.map((challenge) => challenge.sid),
    second.instances.map((challenge) => challenge.sid)
  );
});

test("a push factor is made, verified, listed and changed", async () => {
  const { form, privateKey } = phone();
  const { newFactors, factors } = entity("push-00000001");
  const made = await newFactors.create(form);
  assert.deepStrictEqual([made.factorType, made.status], ["push", "unverified"]);
  assert.strictEqual(made.binding.public_key, form["binding.publicKey"]);
  const signature = crypto.sign("sha256", Buffer.from(made.sid), privateKey).toString("base64");
  const other = crypto.sign("sha256", Buffer.from(made.sid), phone().privateKey);
  await assert.rejects(
    factors(made.sid).update({ authPayload: other.toString("base64") }),
    refusedWith(403, 60311)
  );
  const verified = await factors(made.sid).update({ authPayload: signature });
  assert.strictEqual(verified.status, "verified");
  const token = "1".repeat(40);
  await factors(made.sid).update({ "config.notificationToken": token });
  const listed = await factors.list();
  assert.deepStrictEqual(
    listed.map(({ sid, factorType, config }) => [sid, factorType, config.notification_token]),
    [[made.sid, "push", token]]
  );
  assert.strictEqual(await factors(made.sid).remove(), true);
});

test("a push challenge is made, fetched, sent again, listed and answered", async () => {
  const { form, privateKey } = phone();
  const { newFactors, factors, challenges } = entity("push-00000002");
  const { sid: factorSid } = await newFactors.create(form);
  const signature = crypto.sign("sha256", Buffer.from(factorSid), privateKey).toString("base64");
  await factors(factorSid).update({ authPayload: signature });

  const made = await challenges.create({
    factorSid,
    "details.message": "Log in to web1?",
    "details.fields": [{ label: "Number", value: "42" }],
    hiddenDetails: { ip: "192.0.2.1" },
    expirationDate: new Date(Date.now() + 60000),
  });
  assert.deepStrictEqual([made.factorType, made.status], ["push", "pending"]);
  assert.deepStrictEqual(made.details.fields, [{ label: "Number", value: "42" }]);
  const sent = await challenges(made.sid).notifications.create({ ttl: 60 });
  assert.deepStrictEqual([sent.challengeSid, sent.ttl], [made.sid, 60]);
  await assert.rejects(challenges.create({ factorSid }), refusedWith(400, 60306));

  const { headers, body } = await get(made.url);
  const names = headers["twilio-verify-signature-fields"].split(",");
  const fields = Object.fromEntries(names.map((name) => [name, body[name]]));
  const challenge = challenges(made.sid);
  await assert.rejects(
    challenge.update({ authPayload: jwt(phone().privateKey, { ...fields, status: "approved" }) }),
    refusedWith(403, 60324)
  );
  assert.strictEqual((await challenge.fetch()).status, "pending");
  const authPayload = jwt(privateKey, { ...fields, status: "approved" });
  assert.strictEqual((await challenge.update({ authPayload })).status, "approved");
  const listed = await challenges.list({ factorSid, status: "approved" });
  assert.deepStrictEqual(listed.map(({ sid, factorType }) => [sid, factorType]), [
    [made.sid, "push"],
  ]);
  await assert.rejects(challenge.update({ authPayload }), refusedWith(403, 60322));
});

test("error codes come through", async () => {
  const { sid } = await enroll("error-000001");
  const challenges = entity("error-000001").challenges;
  const unverified = await entity("error-000001").newFactors.create({
    friendlyName: "test",
    factorType: "totp",
  });
  await assert.rejects(
    challenges.create({ factorSid: unverified.sid }),
    refusedWith(403, 60318)
  );
  await assert.rejects(challenges.create({ factorSid: "YF1" }), refusedWith(400, 60306));
  await assert.rejects(
    challenges.create({ factorSid: sid, expirationDate: new Date(Date.now() + 3700000) }),
    refusedWith(400, 60306)
  );
  await assert.rejects(entity("short").fetch(), refusedWith(400, 60306));
  await assert.rejects(
    challenges.create({ factorSid: sid, authPayload: "letters" }),
    (error) => error instanceof twilio.RestException && error.code === 60306
  );
});

test("wrong credentials are refused with 20003, the auth token is accepted", async () => {
  const wrongSecret = connect(EMULATOR_API_KEY_SID, "wrong");
  await assert.rejects(
    wrongSecret.services(EMULATOR_SERVICE_SID).fetch(),
    refusedWith(401, 20003)
  );
  const account = connect(EMULATOR_ACCOUNT_SID, EMULATOR_AUTH_TOKEN);
  const fetched = await account.services(EMULATOR_SERVICE_SID).fetch();
  assert.strictEqual(fetched.sid, EMULATOR_SERVICE_SID);
});
