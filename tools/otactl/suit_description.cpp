#include "suit_description.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/remote_config.hpp"

namespace otactl {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kLargestSequence = INT64_MAX;
constexpr uint64_t kLongestDay = 86399;  // s
constexpr uint64_t kLastBoard = 12;

// An object of the description, whose fields are read one by one; a field that nobody read is one
// that would silently have no effect.
class Object {
  public:
    Object(const Json& tree, std::string name) : tree_(tree), name_(std::move(name)) {
        if (!tree_.is_object()) fail("", "has to be an object");
    }
    ~Object() = default;
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    bool has(const char* field) const { return tree_.contains(field); }
    const Json& at(const char* field) {
        known_.emplace_back(field);
        if (!has(field)) fail(field, "is missing");
        return tree_.at(field);
    }
    std::string text(const char* field) {
        const Json& value = at(field);
        if (!value.is_string()) fail(field, "has to be a text");
        return value.get<std::string>();
    }
    std::string text_or(const char* field, const std::string& otherwise) {
        known_.emplace_back(field);
        return has(field) ? text(field) : otherwise;
    }
    uint64_t number(const char* field, uint64_t least, uint64_t most) {
        return as_number(field, at(field), least, most);
    }
    std::optional<uint64_t> number_if(const char* field, uint64_t most) {
        known_.emplace_back(field);
        return has(field) ? std::optional<uint64_t>(number(field, 0, most)) : std::nullopt;
    }
    std::vector<uint8_t> numbers(const char* field, uint64_t most) {
        const Json& value = at(field);
        if (!value.is_array() || value.empty()) fail(field, "has to be a list of numbers");
        std::vector<uint8_t> out;
        for (const Json& item : value) {
            out.push_back(static_cast<uint8_t>(as_number(field, item, 1, most)));
        }
        return out;
    }
    // Every field was asked for.
    void end() const {
        for (const auto& [field, value] : tree_.items()) {
            if (std::find(known_.begin(), known_.end(), field) == known_.end()) {
                fail(field, "is not known");
            }
        }
    }

  private:
    [[noreturn]] void fail(const std::string& field, const std::string& what) const {
        throw Failure(Exit::kMalformed, fmt::format("description: {}{} {}", name_, field, what));
    }
    uint64_t as_number(const char* field, const Json& value, uint64_t least, uint64_t most) const {
        const bool fits = value.is_number_unsigned() && value.get<uint64_t>() >= least &&
                          value.get<uint64_t>() <= most;
        if (!fits) fail(field, fmt::format("has to be a whole number, {} to {}", least, most));
        return value.get<uint64_t>();
    }

    const Json& tree_;
    std::string name_;  // with a dot, before those of its fields
    std::vector<std::string> known_;
};

class Reader {
  public:
    explicit Reader(std::string folder) : folder_(std::move(folder)) {}

    PackPlan read(const Json& tree) {
        Object top(tree, "");
        PackPlan plan;
        plan.vendor = vendor_uuid(top.text("vendor"));
        plan.class_id = class_uuid(plan.vendor, top.text("class"));
        const std::string device = top.text_or("device", "");
        if (!device.empty()) plan.device = parse_uuid(device);
        plan.sequence = top.number("sequence", 1, kLargestSequence);
        plan.version = top.text_or("version", "");
        plan.use_before = top.number_if("use_before", kLargestSequence);
        plan.minimum_energy = top.number_if("minimum_energy_mwh", UINT32_MAX);
        const auto priority = top.number_if("authorize", UINT32_MAX);
        if (priority) plan.authorize = static_cast<int64_t>(*priority);
        plan.not_before = top.number_if("not_before", kLargestSequence);
        plan.time_of_day = top.number_if("time_of_day_utc", kLongestDay);
        if (top.has("components")) read_components(top.at("components"), plan);
        if (top.has("boards")) read_boards(top.at("boards"), plan);
        top.end();
        return plan;
    }

  private:
    Buffer file(Object& part) const {
        return read_file((std::filesystem::path(folder_) / part.text("file")).string());
    }
    void read_components(const Json& list, PackPlan& plan) const {
        if (!list.is_array()) throw Failure(Exit::kMalformed, "description: components: a list");
        for (const Json& item : list) {
            Object part(item, "components.");
            const std::string id = part.text("id");
            Buffer content = file(part);
            if (id == "settings") content = settings_of(content);
            plan.components.push_back({id, std::move(content), part.text_or("uri", ""), 0});
            part.end();
        }
    }
    void read_boards(const Json& tree, PackPlan& plan) const {
        Object boards(tree, "boards.");
        plan.module_class = class_uuid(plan.vendor, boards.text("class"));
        add_boards(plan, file(boards), boards.numbers("numbers", kLastBoard));
        boards.end();
    }
    std::string folder_;
};

}  // namespace

Buffer settings_of(const Buffer& text) {
    const Json tree = Json::parse(text, nullptr, false);
    if (!tree.is_object()) throw Failure(Exit::kMalformed, "settings: no JSON object");
    const std::string compact = tree.dump();
    // As the most willing of devices would: its own limits are its own affair.
    ota::Settings own;
    own.thresholds = {0, INT32_MAX, INT32_MIN, INT32_MAX};
    own.rollback_timeout_ms = 0;
    own.check_interval_ms = 1;
    ota::RemoteSettings asked;
    ota::RefusedSettings refused;
    require(
        ota::parse_remote_settings(compact, own, ota::SettingsCarrier::kPackage, asked, refused),
        "settings");
    if (!refused.empty()) {
        throw Failure(Exit::kMalformed,
                      fmt::format("settings: {}: {}", refused[0].name.view(), refused[0].why));
    }
    Buffer out(compact.begin(), compact.end());
    return out;
}

PackPlan plan_from_json(const std::string& text, const std::string& folder) {
    const Json tree = Json::parse(text, nullptr, false);
    if (!tree.is_object()) throw Failure(Exit::kMalformed, "the description is no JSON object");
    return Reader(folder).read(tree);
}

}  // namespace otactl
