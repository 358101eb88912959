"""The assertions of SMART Backend Services: signed with RS384 or ES384, as the key is, and good for five minutes.

https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trialconv.fhir_server.auth import read_secret_file
from trialconv.issues import UsageError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey

#: No assertion may be good for more than five minutes. Clocks differ, so ours are good for four.
LIFE: Final = 240


def signer(key_file: Path, *, key_id: str | None = None) -> Callable[[str, str], str]:
    """Return what signs assertions with the private key of a file: PEM, a JWK, or a JWKS with one private key.

    The signer takes the client's name and the address of the token server. `key_id` goes before the `kid` of a
    JWK; without either it is the key's thumbprint (RFC 7638). Raises UsageError for what is no such key, without
    a word of its content.
    """
    try:
        from joserfc import jwt
    except ImportError:
        raise UsageError("SMART backend services need joserfc: pip install 'trialconv[smart]'") from None
    key, algorithm = _private_key(key_file)
    kid = key_id or key.kid or key.thumbprint()

    def sign(client_id: str, audience: str) -> str:
        now = int(time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "exp": now + LIFE,
            "iat": now,
            "jti": secrets.token_urlsafe(24),
        }
        header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
        return jwt.encode(header, claims, key, algorithms=[algorithm])

    return sign


def _private_key(file: Path) -> tuple[RSAKey | ECKey, str]:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    data = read_secret_file(file, "private key")
    problem = f"{file} holds no private key for RS384 (RSA of at least 2048 bits) or ES384 (P-384), as PEM or JWK"
    try:
        found: Any = _jwk(data) if data.lstrip()[:1] == b"{" else data
        # An error of the library could quote the key, so that none of them is a cause of ours.
        for kind in (RSAKey, ECKey):
            try:
                key = kind.import_key(found)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            if not key.is_private:
                raise UsageError(f"{file} holds a public key; the private one signs")
            if isinstance(key, RSAKey) and key.private_key is not None and key.private_key.key_size >= 2048:
                return key, "RS384"
            if isinstance(key, ECKey) and key.curve_name == "P-384":
                return key, "ES384"
    except ValueError:
        pass
    raise UsageError(problem)


def _jwk(data: bytes) -> Any:
    """Return the JWK, or the only private one of a JWKS. Raises ValueError."""
    found = json.loads(data)
    if "keys" not in found:
        return found
    private = [key for key in found["keys"] if isinstance(key, dict) and "d" in key]
    if len(private) != 1:
        raise ValueError
    return private[0]
