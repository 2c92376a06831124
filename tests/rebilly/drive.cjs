// Runs the unmodified SDK against the server at argv[2]. Prints the results as one line of JSON.
// Source: docs/api/payments-ai.md, section 7.
const { default: RebillyAPI, RebillyErrors } = require("rebilly-js-sdk");

const url = `${process.argv[2]}/v1/public-api`;
const options = { organizationId: "org_456", urls: { live: url, sandbox: url } };

async function refusal(call) {
  const kind = (error) =>
    Object.keys(RebillyErrors).find((name) => error.constructor === RebillyErrors[name]);
  return call.then(
    () => null,
    (error) => ({ kind: kind(error), status: error.status, details: error.details ?? null }),
  );
}

async function drive() {
  const api = RebillyAPI({ ...options, apiKey: "acct_demo_key_demo" });
  const results = {};
  await api.customFields.create({
    resource: "customers",
    name: "tier",
    data: { type: "string", additionalSchema: { allowedValues: ["gold", "silver"] } },
  });
  const field = await api.customFields.get({ resource: "customers", name: "tier" });
  const fields = await api.customFields.getAll({ resource: "customers" });
  results.field = [field.fields.type, field.fields.additionalSchema.allowedValues, fields.total];

  const data = { firstName: "Ada", lastName: "Okoro", email: "ada@shop.test", language: "en" };
  const made = await api.customers.create({ data: { ...data, customFields: { tier: "gold" } } });
  const id = made.fields.id;
  await api.customers.create({ data: { primaryAddress: { firstName: "Bo" } } });
  results.made = made.fields;
  results.read = (await api.customers.get({ id })).fields;

  const listed = await api.customers.getAll({ limit: 2, offset: 0, sort: "-createdTime" });
  const rows = listed.items.map((each) => each.fields);
  results.listed = [listed.total, listed.limit, listed.offset, rows];
  const found = await api.customers.getAll({ q: "ada oko" });
  results.found = found.items.map((each) => each.fields.id);

  results.updated = (await api.customers.update({ id, data: { email: "new@shop.test" } })).fields;

  const bearer = RebillyAPI({ ...options, apiKey: "" });
  bearer.setPublishableKey("ApiKey acct_demo_key_demo");
  results.publishable = (await bearer.customers.get({ id })).fields.id;

  const nobody = RebillyAPI({ ...options, apiKey: "wrong" });
  const stranger = RebillyAPI({ ...options, apiKey: "acct_demo_key_demo", organizationId: "o" });
  const unknown = "cus_01kjpx8se0eassyq0akmxqwk12";
  results.refused = {
    invalid: await refusal(api.customers.create({ data: { email: "x" } })),
    unknown: await refusal(api.customers.get({ id: unknown })),
    upsert: await refusal(api.customers.create({ id: unknown, data })),
    nobody: await refusal(nobody.customers.getAll()),
    stranger: await refusal(stranger.customers.getAll()),
  };

  await api.customers.merge({ id, targetCustomerId: unknown });
  results.deleted = (await api.customers.get({ id })).fields.status;
  results.refused.deleted = await refusal(api.customers.update({ id, data: { firstName: "I" } }));
  return results;
}

drive().then((results) => console.log(JSON.stringify(results)));
