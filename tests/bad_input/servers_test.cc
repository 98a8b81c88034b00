// Servers that lie, break, are gone or say nothing.
#include <chrono>

#include <gmock/gmock.h>

#include "tests/bad_input/bad_input_fixture.h"
#include "tests/support/openpgp_signer.h"

namespace imgbuild::bad_input {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kInRelease[] = "/debian/dists/bookworm/InRelease";
constexpr char kSedDeb[] = "/debian/pool/main/s/sed/";
constexpr char kPage[] = "/simple/starlette/";
constexpr char kWheel[] = "/files/starlette-";

struct Case {
  std::string name;
  std::function<ServedResponse(const ServedResponse& honest)> fault;
  std::string target;  // what it begins with
  int status = kFailure;
  std::vector<std::string> parts;  // of the message
};

void PrintTo(const Case& test, std::ostream* stream) { *stream << test.name; }

ServedResponse Flip(ServedResponse response) {
  for (char& c : response.body) c = static_cast<char>(c ^ 1);
  return response;
}

ServedResponse Replace(ServedResponse response, const std::string& what, const std::string& with) {
  const std::size_t at = response.body.find(what);
  if (at != std::string::npos) response.body.replace(at, what.size(), with);
  return response;
}

ServedResponse Status(int status) { return {.status = status, .body = "sorry"}; }

ServedResponse Page(const std::string& type, const std::string& body) {
  return {.headers = {{"Content-Type", type}}, .body = body};
}

constexpr char kJson[] = "application/vnd.pypi.simple.v1+json";

std::vector<Case> Cases() {
  auto gone = [](const auto&) { return Status(404); };
  auto broken = [](const auto&) { return Status(500); };
  auto silent = [](ServedResponse r) {
    r.hang = support::Hang::kBeforeHead;
    return r;
  };
  auto drip = [](ServedResponse r) {
    r.drip = std::chrono::milliseconds(50);
    return r;
  };
  auto cut = [](ServedResponse r) {
    r.cut_after = 0;
    return r;
  };
  auto circle = [](const auto&) {
    return ServedResponse{.status = 302, .headers = {{"Location", "?again"}}, .body = ""};
  };
  const std::string mirror = "IMGBUILD_DEBIAN_MIRROR";
  const std::string index = "PIP_INDEX_URL";
  return {
      {"BadSignature",
       [](const auto& r) { return Replace(r, "Origin: Mini", "Origin: Evil"); },
       kInRelease,
       kVerification,
       {"signature", mirror}},
      {"Unsigned",
       [](const auto&) { return ServedResponse{.body = "Suite: stable\nCodename: x\n"}; },
       kInRelease,
       kVerification,
       {mirror}},
      {"OtherPackages",
       [](ServedResponse r) { return Flip(std::move(r)); },
       "/debian/dists/bookworm/main/",
       kVerification,
       {"Packages"}},
      {"NoMirror", gone, "/debian/", kFailure, {"404", mirror, "hint: "}},
      {"BrokenMirror", broken, "/debian/", kFailure, {"500", mirror}},
      {"SilentMirror", silent, "/debian/", kFailure, {mirror, "(2 tries)", "--offline"}},
      {"CircularMirror", circle, "/debian/", kFailure, {mirror, "redirects", "circles"}},
      {"OtherDeb",
       [](ServedResponse r) { return Flip(std::move(r)); },
       kSedDeb,
       kVerification,
       {"sed_1.0-1_all.deb", "found:", "expected:", "lock --upgrade sed"}},
      {"LongerDeb",
       [](ServedResponse r) {
         r.body += "more";
         return r;
       },
       kSedDeb,
       kVerification,
       {"sed_1.0-1_all.deb", "longer"}},
      {"GoneDeb",
       gone,
       kSedDeb,
       kFailure,
       {"sed 1.0-1", "404 at ", mirror, "lock --upgrade sed", "system.snapshot"}},
      {"BrokenDeb", broken, kSedDeb, kFailure, {"sed_1.0-1_all.deb", "status 500", mirror}},
      {"CutDeb", cut, kSedDeb, kFailure, {"sed_1.0-1_all.deb", mirror}},
      {"SilentDeb", silent, kSedDeb, kFailure, {"sed_1.0-1_all.deb", mirror, "--offline"}},
      {"DrippingDeb", drip, kSedDeb, kFailure, {"sed_1.0-1_all.deb", mirror, "too slow"}},
      {"CircularDeb", circle, kSedDeb, kFailure, {"sed_1.0-1_all.deb", mirror, "redirects"}},
      {"NoPage", gone, kPage, kUnresolvable, {"starlette", "index default"}},
      {"BrokenPage", broken, kPage, kFailure, {"500", "starlette", index, "hint: "}},
      {"ForbiddenPage",
       [](const auto&) { return Status(403); },
       kPage,
       kFailure,
       {"403", index, "password"}},
      {"SilentPage", silent, kPage, kFailure, {index, "starlette", "--offline"}},
      {"CircularPage", circle, kPage, kFailure, {index, "redirects"}},
      {"GarbagePage",
       [](const auto&) { return Page(kJson, "\x01\x02{not json"); },
       kPage,
       kFailure,
       {index, "starlette"}},
      {"CutPage",
       [](ServedResponse r) {
         r.body.resize(r.body.size() / 2);
         return r;
       },
       kPage,
       kFailure,
       {index, "starlette"}},
      {"LoginPage",
       [](const auto&) {
         return Page("text/html", "<html><form action=/login><input name=user></form></html>");
       },
       kPage,
       kFailure,
       {index, "form to fill in", "login"}},
      {"PictureForAPage",
       [](const auto&) { return Page("image/png", "\x89PNG"); },
       kPage,
       kFailure,
       {index, "image/png", "/simple/"}},
      {"GoneWheel", gone, kWheel, kFailure, {"starlette-0.36", "404", index}},
      {"SilentWheel", silent, kWheel, kFailure, {"starlette-0.36", index}},
  };
}

class BadServer : public BadInput, public testing::WithParamInterface<Case> {
 protected:
  void Break(const Case& test) {
    world_.SetFault([this, &test](const ServedRequest& request) -> std::optional<ServedResponse> {
      if (!request.target.starts_with(test.target)) return std::nullopt;
      return test.fault(world_.Answer(request));
    });
  }
};

TEST_P(BadServer, IsOneErrorAndLeavesNothing) {
  Break(GetParam());
  const std::string output = Fail(Build(), GetParam().status);
  for (const std::string& part : GetParam().parts) EXPECT_THAT(output, HasSubstr(part));
  ExpectSoundCache();
  world_.SetFault(nullptr);
  Succeed(Build());
}

INSTANTIATE_TEST_SUITE_P(All, BadServer, testing::ValuesIn(Cases()),
                         [](const auto& fault) { return fault.param.name; });

// What the lock names is not what the index has by now.
class Replaced : public BadInput {
 protected:
  void LockAndForget() {
    ASSERT_EQ(whole_build::Execute(world_, Command({"lock", "small.toml", "-q"})).status, 0);
    std::filesystem::remove_all(cache());
  }
};

TEST_F(Replaced, AWheelOfOtherBytes) {
  LockAndForget();
  world_.SetFault([this](const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.starts_with(kWheel)) return std::nullopt;
    return Flip(world_.Answer(request));
  });
  const std::string output = Fail(Build(), kVerification);
  EXPECT_THAT(output, HasSubstr("starlette-0.36-py3-none-any.whl"));
  EXPECT_THAT(output, HasSubstr("lock --upgrade starlette"));
  ExpectSoundCache();
  world_.SetFault(nullptr);
  Succeed(Build());
}

TEST_F(Replaced, AWheelThatIsGone) {
  LockAndForget();
  world_.SetFault([](const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.starts_with(kWheel)) return std::nullopt;
    return Status(404);
  });
  EXPECT_THAT(Fail(Build(), kFailure), HasSubstr("lock --upgrade starlette"));
  ExpectSoundCache();
  world_.SetFault(nullptr);
  Succeed(Build());
}

TEST_F(Replaced, APageThatIsGone) {
  LockAndForget();
  world_.SetFault([](const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.starts_with(kPage)) return std::nullopt;
    return Status(404);
  });
  EXPECT_THAT(Fail(Build(), kFailure), HasSubstr("starlette-0.36-py3-none-any.whl"));
  world_.SetFault(nullptr);
  Succeed(Build());
}

// A newer version replaced the archive; some keep old ones.
TEST_F(BadInput, ASupersededDebComesFromTheSnapshotArchive) {
  world_.SetFault([this](ServedRequest request) -> std::optional<ServedResponse> {
    if (request.target.starts_with(kSedDeb)) return Status(404);
    const std::string snapshot = "/snapshot/debian/20240210T110725Z/";
    if (!request.target.starts_with(snapshot)) return std::nullopt;
    request.target = "/debian/" + request.target.substr(snapshot.size());
    return world_.Answer(request);
  });
  Invocation run = Build();
  run.environment["IMGBUILD_DEBIAN_SNAPSHOT"] =
      "http://" + world_.host() + "/snapshot/{archive}/{timestamp}";
  Succeed(run);
}

TEST_F(BadInput, ASupersededDebThatNoArchiveKeepsNamesBoth) {
  world_.SetFault([](const ServedRequest& request) -> std::optional<ServedResponse> {
    const bool lost = request.target.starts_with(kSedDeb) || request.target.starts_with("/snap");
    return lost ? std::optional(Status(404)) : std::nullopt;
  });
  Invocation run = Build();
  run.environment["IMGBUILD_DEBIAN_SNAPSHOT"] =
      "http://" + world_.host() + "/snapshot/{archive}/{timestamp}";
  const std::string output = Fail(run, kFailure);
  EXPECT_THAT(output, HasSubstr(kSedDeb));
  EXPECT_THAT(output, HasSubstr("/snapshot/debian/20240210T110725Z/pool/main/s/sed/"));
  EXPECT_THAT(output, HasSubstr("lock --upgrade sed"));
  world_.SetFault(nullptr);
  Succeed(run);
}

TEST_F(BadInput, AReleaseThatExpired) {
  world_.Republish([](auto& suite) { suite.valid_until = "Sat, 17 Feb 2024 11:07:25 UTC"; });
  const std::string output = Fail(Build(), kVerification);
  EXPECT_THAT(output, HasSubstr("the Release file of bookworm has expired"));
  EXPECT_THAT(output, HasSubstr("2024-02-17"));
  EXPECT_THAT(output, HasSubstr("IMGBUILD_DEBIAN_MIRROR"));
  world_.Republish([](auto& suite) { suite.valid_until = ""; });
  Succeed(Build());
}

TEST_F(BadInput, AKeyringWithoutTheArchivesKey) {
  Write("archive.gpg", support::OpenPgpSigner("Somebody Else").PublicKey());
  const std::string output = Fail(Build(), kVerification);
  EXPECT_THAT(output, HasSubstr("archive.gpg"));
  Write("archive.gpg", world_.public_key());
  Succeed(Build());
}

TEST_F(BadInput, AMirrorThatRefusesConnections) {
  Invocation run = Build();
  run.environment["IMGBUILD_DEBIAN_MIRROR"] = "http://me:hush-hush@127.0.0.1:9/debian";
  const std::string output = Fail(run, kFailure);
  EXPECT_THAT(output, HasSubstr("http://127.0.0.1:9/debian/dists/bookworm"));
  EXPECT_THAT(output, HasSubstr("from IMGBUILD_DEBIAN_MIRROR"));
  Succeed(Build());
}

TEST_F(BadInput, AnIndexThatRefusesConnections) {
  Invocation run = Build();
  run.environment["PIP_INDEX_URL"] = "http://me:hush-hush@127.0.0.1:9/simple";
  const std::string output = Fail(run, kFailure);
  EXPECT_THAT(output, HasSubstr("http://127.0.0.1:9/simple/fastapi/"));
  EXPECT_THAT(output, HasSubstr("index \"default\" (PIP_INDEX_URL)"));
  Succeed(Build());
}

// One silent server must not hold back the error of another.
TEST_F(BadInput, AFailureDoesNotWaitForSilentServers) {
  world_.SetFault([this](const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.starts_with(kSedDeb)) return Flip(world_.Answer(request));
    if (!request.target.starts_with("/debian/pool/main/g/grep/")) return std::nullopt;
    return ServedResponse{.hang = support::Hang::kBeforeHead};
  });
  Invocation run = Build();
  run.environment["IMGBUILD_TIMEOUT"] = "60";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Fail(run, kVerification), HasSubstr("sed_1.0-1_all.deb"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  world_.SetFault(nullptr);
  Succeed(Build());
}

}  // namespace
}  // namespace imgbuild::bad_input
