"""As much of protobuf's encoding as tests need that say what no client library would say."""


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data):
    """(number, the rest)."""
    value = shift = 0
    for place, byte in enumerate(data):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, data[place + 1:]
    raise AssertionError("cut off")


def field(payload, number=1):
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload
