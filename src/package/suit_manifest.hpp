#pragma once

#include "package/suit_envelope.hpp"
#include "ports/component.hpp"

namespace ota {

// A manifest whose signature and digest hold, looked through as a whole before anything is done:
// what is not understood rejects it here, also in a branch that would not be taken. Views into the
// buffer of the prefix.
class SuitManifest {
  public:
    // prefix: whole; digest: the authenticated one. Any of the findings from kCborTruncated to
    // kSoftFailurePlace.
    Status parse(const SuitPrefix& prefix, Bytes digest);

    uint64_t sequence_number() const { return sequence_number_; }
    size_t component_count() const { return components_.size(); }
    ComponentRef component(size_t index) const { return components_[index]; }
    Bytes shared() const { return shared_; }
    // The commands of a section; empty when the manifest has none.
    Bytes section(suit::Member key) const;
    // [+int] of the version that the package brings; empty when it does not say.
    Bytes version() const { return version_; }
    const Digest& digest() const { return digest_; }
    // The bytes that everything above lies in.
    Bytes buffer() const { return buffer_; }

  private:
    Status parse_members(const SuitPrefix& prefix);
    Status parse_member(int64_t key, CborReader& reader, const SuitPrefix& prefix);
    Status parse_common(Bytes common);
    Status parse_components(CborReader& reader);
    Status parse_section(int64_t key, CborReader& reader, const SuitPrefix& prefix);
    Status parse_text(CborReader& reader, const SuitPrefix& prefix);
    Status lint_all() const;

    Bytes buffer_;
    size_t claimed_ = 0;  // severed members that the manifest holds the digest of
    Digest digest_{};
    uint64_t sequence_number_ = 0;
    FixedVector<ComponentRef, kMaxComponents> components_;
    Bytes shared_;
    Bytes version_;
    std::array<Bytes, 4> sections_{};  // payload fetch, install, validate, invoke
};

// Reads one command and leaves the reader behind its argument.
struct SuitCommand {
    int64_t code = 0;
    Bytes argument;
};
Status next_command(CborReader& reader, SuitCommand& out);

}  // namespace ota
