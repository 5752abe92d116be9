// Twilio's own Node library against another host: everything but the host is as it ships.
const twilio = require("twilio");
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));

class Elsewhere extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", asked.host) });
  }
}
const client = (user, password) =>
  twilio(user, password, { accountSid: asked.account, httpClient: new Elsewhere({ timeout: 20000 }) });
const codeOf = (call) => call().then(() => null, (e) => [e.status, e.code]);

(async () => {
  const { ours, phone } = asked;
  const api = client(asked.account, asked.token);
  const said = {};
  const created = [];
  for (let n = 0; n < 5; n++) created.push(await api.messages.create({ to: phone, from: ours, body: `number ${n} é😀` }));
  said.created = created.map((m) => [m.sid, m.status, m.numSegments, m.direction, m.body]);
  const picture = await api.messages.create({ to: phone, from: ours, mediaUrl: [asked.picture] });
  said.picture = [picture.sid, picture.numMedia];
  said.service = (await api.messages.create({ to: phone, messagingServiceSid: asked.service, body: "by service" })).status;
  said.listed = (await api.messages.list({ to: phone, from: ours, pageSize: 2 })).map((m) => m.body).filter(Boolean);
  said.limited = (await api.messages.list({ pageSize: 2, limit: 3 })).length;
  const hourAgo = new Date(Date.now() - 3600e3);
  said.after = (await api.messages.list({ dateSentAfter: hourAgo })).length > 0;
  said.before = (await api.messages.list({ dateSentBefore: hourAgo })).length;
  const fetched = await api.messages(created[0].sid).fetch();
  said.fetched = [fetched.sid, fetched.body, Math.abs(Date.now() - fetched.dateCreated) < 60e3];
  const inbound = (await api.messages.list({ to: ours }))[0];
  const media = await api.messages(inbound.sid).media.list();
  said.media = media.map((m) => [m.contentType, m.parentSid === inbound.sid]);
  said.media_fetch = (await api.messages(inbound.sid).media(media[0].sid).fetch()).contentType;
  said.media_delete = await api.messages(inbound.sid).media(media[0].sid).remove();
  said.media_left = (await api.messages(inbound.sid).media.list()).length;
  said.deleted = await api.messages(created[1].sid).remove();
  // A listed instance of this library does not know its own id; a context does.
  const listed = (await api.incomingPhoneNumbers.list({ phoneNumber: ours }))[0];
  const number = await api.incomingPhoneNumbers(listed.sid).update({ smsUrl: "https://desk.example/sms#rc=5&rp=all", smsMethod: "POST" });
  said.number = [number.phoneNumber, number.smsUrl, number.capabilities.mms];
  const account = await api.api.accounts(asked.account).fetch();
  said.account = [account.sid, account.status, account.type];
  said.by_key = (await client(asked.key, asked.secret).messages(created[0].sid).fetch()).sid === created[0].sid;
  const create = (message) => codeOf(() => api.messages.create(message));
  said.errors = {
    to: await create({ to: "12", from: ours, body: "x" }),
    empty: await create({ to: phone, from: ours }),
    long: await create({ to: phone, from: ours, body: "x".repeat(1601) }),
    from: await create({ to: phone, from: "+15559999999", body: "x" }),
    itself: await create({ to: ours, from: ours, body: "x" }),
    out: await create({ to: asked.out, from: ours, body: "x" }),
    gone: await codeOf(() => api.messages(created[1].sid).fetch()),
    who: await codeOf(() => client(asked.account, "wrong").messages(created[0].sid).fetch()),
  };
  process.stdout.write(JSON.stringify(said));
})().catch((e) => { console.error(e); process.exit(1); });
