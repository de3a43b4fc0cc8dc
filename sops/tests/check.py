"""Opens a JSON file of sops by what its format says, with `age` and nothing of Cairn's.

    check.py FILE KEYFILE

Prints the content as JSON; fails where a value, or the code over all of them, is not right.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VALUE = re.compile(r"^ENC\[AES256_GCM,data:([^,]*),iv:([^,]+),tag:([^,]+),type:(\w+)\]$")


def unwrap(stanza, keyfile):
    command = ["age", "--decrypt", "-i", keyfile]
    return subprocess.run(command, input=stanza.encode(), stdout=subprocess.PIPE, check=True).stdout


def open_value(text, key, aad):
    data, iv, tag = (base64.b64decode(part, validate=True) for part in VALUE.match(text).groups()[:3])
    assert (len(iv), len(tag)) == (32, 16), "lengths of iv and tag"
    return AESGCM(key).decrypt(iv, data + tag, aad.encode()), VALUE.match(text).group(4)


def value_of(text, kind):
    if kind == "float":
        number = float(text)
        return int(number) if number.is_integer() else number
    return {"str": text.decode, "bool": lambda: {b"True": True, b"False": False}[text]}[kind]()


def plain_bytes(value):
    if isinstance(value, bool):
        return str(value).encode()
    if isinstance(value, (int, float)):
        return format(value, "f").rstrip("0").rstrip(".").encode() if isinstance(value, float) else str(value).encode()
    return value.encode()


class Opener:
    def __init__(self, sops, key):
        self.key = key
        self.only = sops.get("mac_only_encrypted", False)
        self.hash = hashlib.sha512(hashlib.sha256(b"sops").digest() if self.only else b"")
        self.regex = sops.get("encrypted_regex")
        self.suffix = sops.get("unencrypted_suffix")

    def encrypted(self, path):
        if self.regex:
            return any(re.search(self.regex, part) for part in path)
        return not any(part.endswith(self.suffix) for part in path)

    def walk(self, node, path):
        if isinstance(node, dict):
            return {key: self.walk(value, path + [key]) for key, value in node.items()}
        if isinstance(node, list):
            return [self.walk(value, path) for value in node]
        if node is None or node == "":
            return node
        if not self.encrypted(path):
            if not self.only:
                self.hash.update(plain_bytes(node))
            return node
        text, kind = open_value(node, self.key, "".join(part + ":" for part in path))
        self.hash.update(text)
        return value_of(text, kind)


def main(file, keyfile):
    with open(file, encoding="utf-8") as source:
        tree = json.load(source)
    sops = tree.pop("sops")
    key = unwrap(sops["age"][0]["enc"], keyfile)
    assert len(key) == 32, "length of the data key"
    opener = Opener(sops, key)
    plain = opener.walk(tree, [])
    mac, _ = open_value(sops["mac"], key, sops["lastmodified"])
    assert mac.decode() == opener.hash.hexdigest().upper(), "message authentication code"
    json.dump(plain, sys.stdout)


main(*sys.argv[1:])
