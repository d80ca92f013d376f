"""A private authority for tests: it signs certificates of servers, and whoever has `ca_file` can trust it."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """One authority; its files lie in a folder."""

    def __init__(self, folder: Path, name: str = "private authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        own = self._begun(self._name, self._key.public_key(), is_ca=True).add_extension(usage, critical=True)
        self.ca_file = folder / f"{name.replace(' ', '_')}.crt"
        self.ca_file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def certificate(self, address: str) -> tuple[Path, Path]:
        """The files of a certificate for a server at an IP address, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        signed = self._begun(_named(address), key.public_key(), is_ca=False).add_extension(names, critical=False)
        of_server, of_key = self._folder / "server.crt", self._folder / "server.key"
        of_server.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        of_key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        of_key.chmod(0o600)
        return of_server, of_key

    def serving(self, address: str) -> ssl.SSLContext:
        """What a server at this IP address serves TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate(address))
        return context

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, is_ca: bool) -> x509.CertificateBuilder:
        now, own = datetime.now(UTC), self._key.public_key()
        builder = x509.CertificateBuilder(issuer_name=self._name, subject_name=name, public_key=key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
