"""Signed images of the twin's firmware, made once a session."""

import twin as twin_module


class Shelf:
    def __init__(self, folder):
        self.folder = folder
        self.key = folder / "release.pem"
        self.public = folder / "release.pub.pem"
        self.other_key = folder / "other.pem"
        twin_module.otactl("keygen", "--type", "rsa3072", self.key, self.public)
        twin_module.otactl("keygen", self.other_key, folder / "other.pub.pem")

    def image(self, variant, version, key="release", **options):
        name = "-".join([variant, version, str(key), *[f"{k}{v}" for k, v in options.items()]])
        path = self.folder / f"{name}.bin"
        if not path.exists():
            signer = {"release": self.key, "other": self.other_key, None: None}[key]
            twin_module.make_image(variant, version, path, signer, **options)
        return path
