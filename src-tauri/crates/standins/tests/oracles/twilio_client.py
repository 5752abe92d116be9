# Twilio's own Python library against another host: everything but the host is as it ships.
import datetime, json, sys
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

asked = json.load(sys.stdin)


class Elsewhere(TwilioHttpClient):
    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", asked["host"]), *args, **kwargs)


def client(user, password):
    return Client(user, password, asked["account"], http_client=Elsewhere(timeout=20))


def code_of(call):
    try:
        call()
    except TwilioRestException as e:
        return [e.status, e.code]
    return None


twilio = client(asked["account"], asked["token"])
ours, phone = asked["ours"], asked["phone"]
said = {}

created = [twilio.messages.create(to=phone, from_=ours, body=f"number {n} é😀") for n in range(5)]
said["created"] = [[m.sid, m.status, m.num_segments, m.direction, m.body] for m in created]
picture = twilio.messages.create(to=phone, from_=ours, media_url=[asked["picture"]])
said["picture"] = [picture.sid, picture.num_media]
said["service"] = twilio.messages.create(to=phone, messaging_service_sid=asked["service"], body="by service").status
said["listed"] = [m.body for m in twilio.messages.list(to=phone, from_=ours, page_size=2) if m.body]
said["limited"] = len(twilio.messages.list(page_size=2, limit=3))
hour = datetime.timedelta(hours=1)
now = datetime.datetime.now(datetime.timezone.utc)
said["after"] = len(twilio.messages.list(date_sent_after=now - hour)) > 0
said["before"] = len(twilio.messages.list(date_sent_before=now - hour))
fetched = twilio.messages(created[0].sid).fetch()
said["fetched"] = [fetched.sid, fetched.body, abs((now - fetched.date_created).total_seconds()) < 60]
inbound = twilio.messages.list(to=ours)[0]
media = inbound.media.list()
said["media"] = [[m.content_type, m.parent_sid == inbound.sid] for m in media]
said["media_fetch"] = twilio.messages(inbound.sid).media(media[0].sid).fetch().content_type
said["media_delete"] = twilio.messages(inbound.sid).media(media[0].sid).delete()
said["media_left"] = len(inbound.media.list())
said["deleted"] = twilio.messages(created[1].sid).delete()
number = twilio.incoming_phone_numbers.list(phone_number=ours)[0]
number = number.update(sms_url="https://desk.example/sms#rc=5&rp=all", sms_method="POST")
said["number"] = [number.phone_number, number.sms_url, number.capabilities["mms"]]
account = twilio.api.accounts(asked["account"]).fetch()
said["account"] = [account.sid, account.status, account.type]
said["by_key"] = client(asked["key"], asked["secret"]).messages(created[0].sid).fetch().sid == created[0].sid

create = twilio.messages.create
said["errors"] = {
    "to": code_of(lambda: create(to="12", from_=ours, body="x")),
    "empty": code_of(lambda: create(to=phone, from_=ours)),
    "long": code_of(lambda: create(to=phone, from_=ours, body="x" * 1601)),
    "from": code_of(lambda: create(to=phone, from_="+15559999999", body="x")),
    "itself": code_of(lambda: create(to=ours, from_=ours, body="x")),
    "out": code_of(lambda: create(to=asked["out"], from_=ours, body="x")),
    "gone": code_of(lambda: twilio.messages(created[1].sid).fetch()),
    "who": code_of(lambda: client(asked["account"], "wrong").messages(created[0].sid).fetch()),
}
json.dump(said, sys.stdout)
