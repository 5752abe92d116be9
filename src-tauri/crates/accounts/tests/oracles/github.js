// Holds answers against GitHub's own description of its interface and writes down what does not fit.
const { readFileSync } = require("fs");
const Ajv = require("ajv");
const formats = require("ajv-formats");

const file = require.resolve("@octokit/openapi/generated/api.github.com.json");
const description = JSON.parse(readFileSync(file, "utf8"));

// OpenAPI 3.0 has `nullable` where JSON Schema has a type more. An object has no fields but those described, unless its
// schema says so.
function translated(schema) {
  if (Array.isArray(schema)) return schema.map(translated);
  if (schema === null || typeof schema !== "object") return schema;
  const { nullable, example, discriminator, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, keyword(name, value)]));
  if (inner.properties && inner.additionalProperties === undefined) inner.additionalProperties = false;
  return nullable ? { anyOf: [inner, { type: "null" }] } : inner;
}

// The names below `properties` are the interface's, not the schema's.
function keyword(name, value) {
  if (name === "properties") return mapped(value);
  if (name === "$ref") return `description${value}`;
  return ["enum", "default", "required"].includes(name) ? value : translated(value);
}

function mapped(schemas) {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, translated(schema)]));
}

const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
const schemas = mapped(description.components.schemas);
// GitHub says it there, too, though its description does not.
schemas["validation-error"].properties.status = { type: "string" };
ajv.addSchema({ $id: "description", components: { schemas } });

function response({ method, path_template: path, status }) {
  const found = description.paths[path]?.[method.toLowerCase()]?.responses[status];
  const { $ref } = found ?? {};
  return $ref ? description.components.responses[$ref.split("/").pop()] : found;
}

function wrong(answer) {
  const schema = response(answer)?.content?.["application/json"]?.schema;
  if (!schema) return ["no such answer is described"];
  const fits = ajv.compile(translated(schema));
  if (fits(answer.body)) return [];
  return fits.errors.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
}

const answers = JSON.parse(readFileSync(0, "utf8"));
const told = answers.flatMap((answer) =>
  wrong(answer).map((what) => `${answer.method} ${answer.path_template} ${answer.status}: ${what}`),
);
process.stdout.write(JSON.stringify(told));
