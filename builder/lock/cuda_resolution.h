// The wheels of the CUDA section and those of the spec, as one set.
#pragma once

#include <functional>

#include "builder/pypi/release_book.h"
#include "builder/pypi/resolver.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// ResolvePython with a context of its own.
using ResolveOnce = std::function<Resolution(const ResolveInput&)>;

// Resolves `input`, the spec's own part, together with the section. Frameworks pin parts of one
// release of the toolkit. Where that is not the newest, they could only be had so old that they
// want another major version of CUDA beside it: then the version's other releases are tried, and at
// last parts of different releases. Where nothing makes it one set, the first answer counts. It is
// no answer that a release lacks a component which the section asks for.
// REQUIRES: `book` is of the same input. Throws what `resolve` throws, and CudaRequirements; where
// there is no answer at all the first reason.
Resolution ResolveWithCuda(const specs::CudaSection& section, ResolveInput input, ReleaseBook& book,
                           const ResolveOnce& resolve);

}  // namespace imgbuild::builder
