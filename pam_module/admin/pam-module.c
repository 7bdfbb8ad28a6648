/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026, the pam_twilio_verify authors */
/* What is known about PAM modules. */
#include "pam-module.h"

#include <string.h>

#define ANY        (~(pam_codes)0)
#define NOT_IGNORE (ANY & ~PAM_CODE_SET(PAM_CODE_IGNORE))
#define SUCCESS    PAM_CODE_SET(PAM_CODE_SUCCESS)
#define AUTH_ERR   PAM_CODE_SET(PAM_CODE_AUTH_ERR)

static const struct pam_module unknown = { "", PAM_ROLE_FACTOR, ANY };

static const struct pam_module modules[] = {
    { "pam_twilio_verify.so", PAM_ROLE_SECOND,
      SUCCESS | PAM_CODE_SET(PAM_CODE_IGNORE) | PAM_MODULE_REFUSALS },
    { "pam_permit.so", PAM_ROLE_NONE, SUCCESS },
    { "pam_deny.so", PAM_ROLE_NONE, AUTH_ERR },
    { "pam_rootok.so", PAM_ROLE_ROOT, ANY },
    /* a password, asked of everybody */
    { "pam_krb5.so", PAM_ROLE_FACTOR, NOT_IGNORE },
    { "pam_ldap.so", PAM_ROLE_FACTOR, NOT_IGNORE },
    { "pam_sss.so", PAM_ROLE_FACTOR, NOT_IGNORE },
    { "pam_unix.so", PAM_ROLE_FACTOR, NOT_IGNORE },
    { "pam_winbind.so", PAM_ROLE_FACTOR, NOT_IGNORE },
    /* by who, where or when */
    { "pam_access.so", PAM_ROLE_CONDITION, ANY },
    { "pam_exec.so", PAM_ROLE_CONDITION, ANY },
    { "pam_group.so", PAM_ROLE_CONDITION, ANY },
    { "pam_listfile.so", PAM_ROLE_CONDITION, ANY },
    { "pam_localuser.so", PAM_ROLE_CONDITION, ANY },
    { "pam_nologin.so", PAM_ROLE_CONDITION, ANY },
    { "pam_rhosts.so", PAM_ROLE_CONDITION, ANY },
    { "pam_script.so", PAM_ROLE_CONDITION, ANY },
    { "pam_securetty.so", PAM_ROLE_CONDITION, ANY },
    { "pam_sepermit.so", PAM_ROLE_CONDITION, ANY },
    { "pam_shells.so", PAM_ROLE_CONDITION, ANY },
    { "pam_succeed_if.so", PAM_ROLE_CONDITION, ANY },
    { "pam_time.so", PAM_ROLE_CONDITION, ANY },
    { "pam_timestamp.so", PAM_ROLE_CONDITION, ANY },
    { "pam_usertype.so", PAM_ROLE_CONDITION, ANY },
    { "pam_wheel.so", PAM_ROLE_CONDITION, ANY },
    /* nothing about anybody */
    { "pam_cap.so", PAM_ROLE_NONE, ANY },
    { "pam_debug.so", PAM_ROLE_NONE, ANY },
    { "pam_echo.so", PAM_ROLE_NONE, ANY },
    { "pam_ecryptfs.so", PAM_ROLE_NONE, ANY },
    { "pam_env.so", PAM_ROLE_NONE, ANY },
    { "pam_faildelay.so", PAM_ROLE_NONE, ANY },
    { "pam_faillock.so", PAM_ROLE_NONE, ANY },
    { "pam_gnome_keyring.so", PAM_ROLE_NONE, ANY },
    { "pam_issue.so", PAM_ROLE_NONE, ANY },
    { "pam_keyinit.so", PAM_ROLE_NONE, ANY },
    { "pam_kwallet5.so", PAM_ROLE_NONE, ANY },
    { "pam_mount.so", PAM_ROLE_NONE, ANY },
    { "pam_selinux.so", PAM_ROLE_NONE, ANY },
    { "pam_tally2.so", PAM_ROLE_NONE, ANY },
    { "pam_umask.so", PAM_ROLE_NONE, ANY },
    { "pam_warn.so", PAM_ROLE_NONE, ANY },
};

const struct pam_module *pam_module_find(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (strcmp(modules[i].name, name) == 0)
            return &modules[i];
    return &unknown;
}
