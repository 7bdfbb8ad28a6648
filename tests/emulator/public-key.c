/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* Checks signatures with GnuTLS; nothing else includes its headers. */
#include "public-key.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = PUBLIC_KEY_JWS_SIZE / 2 };

struct public_key {
    gnutls_pubkey_t key;
};

static gnutls_datum_t public_key_datum(const char *bytes, size_t size)
{
    return (gnutls_datum_t){ .data = (unsigned char *)bytes, .size = (unsigned)size };
}

static bool public_key_is_p256(gnutls_pubkey_t key)
{
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;

    return gnutls_pubkey_export_ecc_raw2(key, &curve, NULL, NULL, 0) == GNUTLS_E_SUCCESS &&
           curve == GNUTLS_ECC_CURVE_SECP256R1;
}

struct public_key *public_key_parse(const char *der, size_t size)
{
    struct public_key *key = calloc(1, sizeof(*key));
    gnutls_datum_t datum = public_key_datum(der, size);

    if (key == NULL)
        return NULL;
    if (gnutls_pubkey_init(&key->key) != GNUTLS_E_SUCCESS ||
        gnutls_pubkey_import(key->key, &datum, GNUTLS_X509_FMT_DER) != GNUTLS_E_SUCCESS ||
        !public_key_is_p256(key->key)) {
        public_key_free(key);
        return NULL;
    }
    return key;
}

void public_key_free(struct public_key *key)
{
    if (key == NULL)
        return;

    gnutls_pubkey_deinit(key->key);
    free(key);
}

bool public_key_verify(const struct public_key *key, const char *text, const char *signature,
                       size_t size)
{
    gnutls_datum_t signed_text = public_key_datum(text, strlen(text));
    gnutls_datum_t datum = public_key_datum(signature, size);

    return gnutls_pubkey_verify_data2(key->key, GNUTLS_SIGN_ECDSA_SHA256, 0, &signed_text,
                                      &datum) >= 0;
}

bool public_key_verify_jws(const struct public_key *key, const char *text,
                           const char signature[PUBLIC_KEY_JWS_SIZE])
{
    gnutls_datum_t r = public_key_datum(signature, NUMBER_SIZE);
    gnutls_datum_t s = public_key_datum(signature + NUMBER_SIZE, NUMBER_SIZE);
    gnutls_datum_t der = { 0 };
    bool is_signed = false;

    if (gnutls_encode_rs_value(&der, &r, &s) != GNUTLS_E_SUCCESS)
        return false;

    is_signed = public_key_verify(key, text, (const char *)der.data, der.size);
    gnutls_free(der.data);
    return is_signed;
}
