#include "builder/state/script_rules.h"

#include <algorithm>
#include <array>

namespace imgbuild::builder {
namespace {

struct Rule {
  std::string_view script;  // where it was read: package, script
  std::string_view fingerprint;
};

// Read in bookworm and trixie, amd64 and arm64. Each row was judged by what the script does when
// called as "preinst install" and "postinst configure" without an old version: a new row needs the
// same judgement, and an effect where there is one to be made.
constexpr auto kRules = std::to_array<Rule>({
    {"adduser preinst", "32b87d7ed1cb88ee"},
    {"apt postinst", "40f78c4a58ff62c4"},
    {"base-files postinst", "445370f63d4cba83"},
    {"base-files postinst", "632096c00fba5c94"},
    {"base-files postinst", "9aba17016e4473b3"},
    {"base-files preinst", "02b46df2289d1699"},
    {"base-files preinst", "9ddfab43918d2bb9"},
    {"base-passwd postinst", "6037d8483b85576d"},
    {"base-passwd postinst", "e44ea2e9446e46e0"},
    {"base-passwd preinst", "cfb117a6bc119bfe"},
    {"bash postinst", "20baeefb03052071"},
    {"binutils preinst", "85eca97475de8516"},
    {"ca-certificates postinst", "dc16c6ef68a95045"},
    {"coreutils postinst", "69839b0c650d4960"},
    {"dash postinst", "7cac187d20cede61"},
    {"dash postinst", "ccc1cb569fc51e6a"},
    {"dash preinst", "be6a0a5f57bd8def"},
    {"debconf postinst", "9805cb9330d876f4"},
    {"debian-archive-keyring postinst", "fc4fd2fdf4f52dec"},
    {"debianutils postinst", "3d629fba5cd1836a"},
    {"dpkg postinst", "1a55652ae133780e"},
    {"dpkg postinst", "eb7839b8e7712a3b"},
    {"fontconfig postinst", "47148a22d44104df"},
    {"fontconfig-config postinst", "074286d6d7607382"},
    {"fontconfig-config postinst", "6ba683bf5d779b8a"},
    {"gcc postinst", "e54a711c97483cc6"},
    {"git preinst", "17c34f969a2ce657"},
    {"gzip postinst", "376e04e8fc41e4ce"},
    {"gzip preinst", "68336edc83d22b62"},
    {"init-system-helpers postinst", "e1131031c2950a62"},
    {"less preinst", "7d2333a446598aaf"},
    {"libblas3 preinst", "2fcd2569fba85909"},
    {"libc-bin postinst", "84ceb4338775fd11"},
    {"libc6 postinst", "0156b91b7b503ed0"},
    {"libc6 postinst", "3e26b5b2f7c68334"},
    {"libc6 preinst", "0440f1b2849b2886"},
    {"libc6 preinst", "af86daa6c29839c5"},
    {"libc6 preinst", "dc418d6e99b5627f"},
    {"libc6 preinst", "f3e7ac0f01eac82f"},
    {"libgcrypt20 postinst", "c0da4ea381f71ec0"},
    {"libgdk-pixbuf-2.0-0 postinst", "989db5a597852118"},
    {"libglib2.0-0 postinst", "df13e8bd834d9547"},
    {"libglib2.0-0t64 postinst", "50d160aebe8481f7"},
    {"libglib2.0-0t64 preinst", "e2f3b0c596b80bc0"},
    {"libgssapi-krb5-2 postinst", "24610fac640951bc"},
    {"libgvc6 postinst", "f3a4e6179d741f07"},
    {"liblapack3 preinst", "9fc2f7a70596df02"},
    {"libpam-modules postinst", "add274cad8bfea68"},
    {"libpam-modules postinst", "eeb881b17dd9d944"},
    {"libpam-modules preinst", "38ade549c39a58cf"},
    {"libpam-runtime postinst", "616581c6fc529900"},
    {"libpam0g postinst", "0fa5cf45e2e0939b"},
    {"libpaper1 postinst", "9dd9c6247d2c1a07"},
    {"libpython3.11-minimal postinst", "aa6c0c207209c8fc"},
    {"libreadline8t64 preinst", "637b7d2183b7bb72"},
    {"libselinux1 postinst", "c112cb8525ffa089"},
    {"libsensors5 preinst", "4348fc2fe54305d0"},
    {"libtirpc3t64 preinst", "1c182d0ff272aba6"},
    {"locales postinst", "740057a7986b1f5b"},
    {"locales postinst", "c1cb9db4686921b0"},
    {"login postinst", "bcd655699c401dc2"},
    {"login.defs postinst", "1ab8317bee7b2435"},
    {"netbase postinst", "96fe9d5e8577f9b4"},
    {"netbase postinst", "b19366ea6d368cbb"},
    {"openssh-client postinst", "34a9b8dbb80325a7"},
    {"openssh-client postinst", "776757a80782e278"},
    {"openssl postinst", "9fb8c4464c973444"},
    {"passwd postinst", "a08cb3f407f172c9"},
    {"perl postinst", "edbf67e7548258ce"},
    {"postgresql-client-15 postinst", "712829079cd5cb2b"},
    {"procps postinst", "7bc7542f75724564"},
    {"procps postinst", "e1d38e8a94d15bd7"},
    {"python3 postinst", "58bb416349b0bfe3"},
    {"python3 postinst", "aec4ec1eff0c1686"},
    {"python3 preinst", "7c20584a6aaa0d75"},
    {"python3 preinst", "aba50eabe65f8379"},
    {"python3-distutils postinst", "6be98a324665cfdb"},
    {"python3-lib2to3 postinst", "110d7a06386c1c22"},
    {"python3-minimal postinst", "baa93d6c8eabedb4"},
    {"python3.11 postinst", "21203a90ea1a913a"},
    {"python3.11-minimal postinst", "60b925f07c9a183b"},
    {"python3.11-minimal preinst", "8b94b16fee055eaf"},
    {"python3.13 postinst", "589bb986f4bc58eb"},
    {"r-base-core postinst", "d8c251c84f61ea6e"},
    {"r-base-core preinst", "8b2b65044e33e614"},
    {"readline-common postinst", "ace8fd5f5a44af3d"},
    {"shared-mime-info postinst", "d831a6b320f0ddea"},
    {"sudo postinst", "b210d22bee7fb41f"},
    {"sudo preinst", "f831ffa2f9ea0733"},
    {"tmux postinst", "e2d389c7c37c73d3"},
    {"tmux preinst", "3dd2b79e4b20fc78"},
    {"tzdata postinst", "c0525ca0de66d256"},
    {"tzdata postinst", "febcc713c8f4a098"},
    {"ucf postinst", "22a7dd0552878726"},
    {"ucf postinst", "235842c9b8e36a9f"},
    {"ucf preinst", "09bc2a12f893122b"},
    {"ucf preinst", "0e50dd4182d5d34a"},
    {"unzip postinst", "7ee802d2f000c021"},
    {"usr-is-merged postinst", "d1f5495b4218b7ca"},
    {"usr-is-merged preinst", "4d3f4343d0f2953c"},
    {"usr-is-merged preinst", "ffac062ea3e508f4"},
    {"util-linux postinst", "5642a4c6820ce0ab"},
    {"x11-common postinst", "466f208e97c7de2e"},
    {"xz-utils postinst", "a4bd763fc151e348"},
});

}  // namespace

bool KnownScript(std::string_view fingerprint) {
  return std::ranges::find(kRules, fingerprint, &Rule::fingerprint) != kRules.end();
}

}  // namespace imgbuild::builder
