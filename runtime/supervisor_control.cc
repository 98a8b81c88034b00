// What the supervisor answers to those who ask it (runtime/control.h).
#include <string.h>

#include "runtime/clock.h"
#include "runtime/supervisor.h"
#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

// At least so many columns, and a space.
void AddColumn(Reply& reply, const char* text, std::size_t width) {
  reply.Add(text).Add(" ");
  for (std::size_t size = strlen(text); size < width; ++size) reply.Add(" ");
}

void AddColumn(Reply& reply, std::uint64_t number, std::size_t width) {
  FixedText<24> text;
  text.Add(number);
  AddColumn(reply, text.data(), width);
}

std::uint64_t Seconds(const Service& service, std::uint64_t now) {
  return (now - service.changed_ms()) / 1000;
}

void AddRow(const Service& service, std::uint64_t now, Reply& reply) {
  AddColumn(reply, service.entry().name, 20);
  AddColumn(reply, StateName(service.state()), 9);
  AddColumn(reply, static_cast<std::uint64_t>(service.running() ? service.pid() : 0), 7);
  AddColumn(reply, service.restarts(), 9);
  reply.Add(Seconds(service, now)).Add(" s\n");
}

void AddObject(const Service& service, std::uint64_t now, Reply& reply) {
  reply.Add("{\"name\":\"").Add(service.entry().name);
  reply.Add("\",\"state\":\"").Add(StateName(service.state()));
  reply.Add("\",\"ready\":").Add(service.HasPassed() ? "true" : "false");
  reply.Add(",\"pid\":").Add(static_cast<std::uint64_t>(service.running() ? service.pid() : 0));
  reply.Add(",\"restarts\":").Add(std::uint64_t{service.restarts()});
  reply.Add(",\"since-seconds\":").Add(Seconds(service, now));
  reply.Add(",\"exit\":").Add(static_cast<std::uint64_t>(service.exit_code())).Add("}");
}

}  // namespace

Service* Supervisor::Find(const char* name) {
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (Is(table_->services[i].name, name)) return services_[i];
  }
  return nullptr;
}

void Supervisor::AnswerStatus(bool json, Reply& reply) const {
  const std::uint64_t now = NowMs();
  reply.Add("ok\n");
  if (json) {
    reply.Add("{\"services\":[");
  } else {
    reply.Add("SERVICE              STATE     PID     RESTARTS  SINCE\n");
  }
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (json && i > 0) reply.Add(",");
    json ? AddObject(*services_[i], now, reply) : AddRow(*services_[i], now, reply);
  }
  if (json) reply.Add("]}\n");
}

void Supervisor::AnswerHealth(bool ready, const char* name, Reply& reply) const {
  FixedText<2048> bad;
  for (std::size_t i = 0; i < table_->size; ++i) {
    const Service& service = *services_[i];
    if (name != nullptr && !Is(service.entry().name, name)) continue;
    const bool well = service.HasPassed() || (!ready && !service.GaveUp());
    if (!well) bad.Add(service.entry().name).Add(" is ").Add(StateName(service.state())).Add("\n");
  }
  if (stopping_) bad.Add("the container is stopping\n");
  if (bad.size() == 0) {
    reply.Add("ok\n");
  } else {
    reply.Add("no\n").Add(bad.data(), bad.size());
  }
}

void Supervisor::Answer(char* request, Reply& reply) {
  char* name = strchr(request, ' ');
  if (name != nullptr) *name++ = '\0';
  if (Is(request, "status")) return AnswerStatus(name != nullptr, reply);
  if (Is(request, "reload")) {
    const char* reason = BeginReload(NowMs());
    reply.Add(reason == nullptr ? "ok\n" : "no\nnothing is reloaded: ");
    if (reason != nullptr) reply.Add(reason).Add("; the log says more\n");
    return;
  }
  Service* service = name != nullptr ? Find(name) : nullptr;
  if (name != nullptr && service == nullptr) {
    reply.Add("no\nthere is no service ").Add(name).Add("; there are");
    for (std::size_t i = 0; i < table_->size; ++i) reply.Add(" ").Add(table_->services[i].name);
    reply.Add("\n");
    return;
  }
  const bool ready = Is(request, "ready");
  if (ready || Is(request, "live")) return AnswerHealth(ready, name, reply);
  if (service == nullptr || stopping_) {
    reply.Add(stopping_ ? "no\nthe container is stopping\n" : "no\nthat is not understood\n");
    return;
  }
  if (Is(request, "logs")) {
    reply.Add("ok\n");
    service->tail().AddTo(reply);
    return;
  }
  const std::uint64_t now = NowMs();
  if (Is(request, "stop")) {
    service->Hold(now);
  } else if (Is(request, "restart")) {
    service->Renew(now);
  } else if (Is(request, "start")) {
    const bool runs_on = service->running() && service->state() != ServiceState::kEnding;
    if (!runs_on) service->Renew(now);
  } else {
    reply.Add("no\nthat is not understood\n");
    return;
  }
  reply.Add("ok\n");
}

}  // namespace imgbuild::runtime
