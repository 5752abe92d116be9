import json, sys
from twilio.request_validator import RequestValidator, get_signature_algorithm


class Form(dict):
    def getall(self, name):
        return self[name]


def answer(case):
    form = Form()
    for name, value in case["pairs"]:
        form.setdefault(name, []).append(value)
    validator = RequestValidator(case["token"])
    params = case["body"] if case["body"] is not None else form
    algorithm = get_signature_algorithm(case["settings"])
    signed = {} if case["body"] is not None else form
    return [validator.compute_signature(case["url"], signed, algorithm), validator.validate(case["url"], params, case["ours"], algorithm)]


json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
