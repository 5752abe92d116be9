const twilio = require("twilio");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = cases.map(({ token, url, pairs, body, ours }) => {
  const form = Object.create(null);
  for (const [name, value] of pairs) (form[name] = form[name] || []).push(value);
  if (body !== null) {
    return [twilio.getExpectedTwilioSignature(token, url, {}), twilio.validateRequestWithBody(token, ours, url, body)];
  }
  return [twilio.getExpectedTwilioSignature(token, url, form), twilio.validateRequest(token, ours, url, form)];
});
process.stdout.write(JSON.stringify(answers));
