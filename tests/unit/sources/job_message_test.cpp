// What AWS IoT Jobs sends, in the forms in which it is known to come.
#include "sources/aws/job_message.hpp"

#include <string>

#include "base/hex.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

struct Parsed {
    explicit Parsed(std::string_view text)
        : status(parse_job_message(as_bytes(text), message, &document)) {}
    JobMessage message;
    JobDocument document;
    Status status;
};

std::string execution(const std::string& document) {
    return R"({"timestamp":1629735402,"execution":{"jobId":"AFR_OTA-1","status":"QUEUED","queuedAt":1629735402,)"
           R"("lastUpdatedAt":1629735402,"versionNumber":1,"executionNumber":1,"jobDocument":)" +
           document + "}}";
}

constexpr const char* kAfrMqtt =
    R"({"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-8d4c","files":[{"filepath":"/device/updates",)"
    R"("filesize":1048576,"fileid":3,"certfile":"/certificates/authcert.pem","sig-sha256-ecdsa":"MEUCIQ=="}]}})";

TEST(JobMessage, EmptyQueueIsNoError) {
    for (const char* text :
         {R"({"timestamp":1629735402})", R"({"clientToken":"7","timestamp":1})", "{}"}) {
        const Parsed parsed(text);
        EXPECT_TRUE(parsed.status.ok());
        EXPECT_FALSE(parsed.message.execution.has_value());
    }
}

TEST(JobMessage, DocumentOfCreateOtaUpdate) {
    const Parsed parsed(execution(kAfrMqtt));
    ASSERT_TRUE(parsed.status.ok());
    ASSERT_TRUE(parsed.message.execution.has_value());
    const JobExecution& job = *parsed.message.execution;
    EXPECT_EQ(job.id.view(), "AFR_OTA-1");
    EXPECT_EQ(job.status, JobStatus::kQueued);
    EXPECT_EQ(job.version, 1U);
    EXPECT_EQ(job.execution, 1U);
    EXPECT_TRUE(job.document.ok());
    EXPECT_EQ(parsed.document.stream.view(), "AFR_OTA-8d4c");
    EXPECT_EQ(parsed.document.file, 3);
    EXPECT_EQ(parsed.document.size, 1048576U);
    EXPECT_TRUE(parsed.document.url.empty());
    EXPECT_EQ(parsed.document.signature.view(), "MEUCIQ==");
}

TEST(JobMessage, CodeSignatures) {
    const auto signature = [](const std::string& member) {
        const Parsed parsed(
            execution((R"({"bess_ota":1,"url":"https://h/k",)" + member + "}").c_str()));
        EXPECT_TRUE(parsed.status.ok() && parsed.message.execution->document.ok()) << member;
        return std::string(parsed.document.signature.view());
    };
    EXPECT_EQ(signature(R"("sig-sha256-rsa":"aG\/s")"), "aG/s");
    EXPECT_EQ(signature(R"("sig-sha256-ecdsa":"ME=="  )"), "ME==");
    // Kinds that are not known, and of longer keys: as good as none.
    EXPECT_EQ(signature(R"("sig-sha1-rsa":"ME==")"), "");
    EXPECT_EQ(signature(R"("sig-sha256-rsa":")" + std::string(684, 'A') + R"(")"), "");
    EXPECT_EQ(signature(R"("sig-sha256-ecdsa":7)"), "");
}

TEST(JobMessage, OfTwoCodeSignaturesNoneCounts) {
    for (const char* const members : {R"("sig-sha256-rsa":"aG/s","sig-sha256-ecdsa":"ME==")",
                                      R"("sig-sha256-ecdsa":"ME==","sig-sha256-ecdsa":"ME==")",
                                      R"("sig-sha256-ecdsa":7,"sig-sha256-rsa":[1])"}) {
        const std::string document =
            std::string(R"({"bess_ota":1,"url":"https://h/k",)") + members + "}";
        const Parsed parsed(execution(document.c_str()));
        ASSERT_TRUE(parsed.status.ok()) << members;
        EXPECT_EQ(parsed.message.execution->document.detail(), Detail::kJobDocument) << members;
    }
}

TEST(JobMessage, DocumentByHttpAndSizesInQuotes) {
    const Parsed parsed(execution(
        R"({"afr_ota":{"protocols":["HTTP"],"files":[{"filepath":"x","filesize":"4711","fileid":0,"certfile":"c",)"
        R"("fileType":2,"update_data_url":"https://b.s3.amazonaws.com/k?X-Amz-Signature=ab\u002bcd","auth_scheme":)"
        R"("aws.s3.presigned","sig-sha256-rsa":"aa=="}]}})"));
    ASSERT_TRUE(parsed.status.ok() && parsed.message.execution->document.ok());
    EXPECT_EQ(parsed.document.url.view(), "https://b.s3.amazonaws.com/k?X-Amz-Signature=ab+cd");
    EXPECT_EQ(parsed.document.size, 4711U);
}

TEST(JobMessage, OwnDocumentAsObjectAndAsText) {
    const std::string digest(64, 'a');
    const std::string object = R"({"bess_ota":1,"url":"https://h/p","size":10,"sha256":")" +
                               digest + R"(","newer":{"a":[1]}})";
    std::string text = "\"";
    for (const char c : object) text += c == '"' ? std::string("\\\"") : std::string(1, c);
    text += "\"";
    for (const std::string& form : {object, text}) {
        const Parsed parsed(execution(form));
        ASSERT_TRUE(parsed.status.ok());
        EXPECT_TRUE(parsed.message.execution->document.ok());
        EXPECT_EQ(parsed.document.url.view(), "https://h/p");
        ASSERT_TRUE(parsed.document.sha256.has_value());
        EXPECT_EQ((*parsed.document.sha256)[31], 0xAA);
    }
    const Parsed stream(execution(R"({"stream":{"id":"s1","fileId":2},"bess_ota":1})"));
    EXPECT_TRUE(stream.message.execution->document.ok());
    EXPECT_EQ(stream.document.stream.view(), "s1");
    EXPECT_EQ(stream.document.file, 2);
}

// A document of no use is told as such; the message around it is read all the same.
TEST(JobMessage, DocumentsThatAreOfNoUse) {
    const std::string two = R"({"afr_ota":{"streamname":"s","files":[{"fileid":0},{"fileid":1}]}})";
    const std::string long_url =
        R"({"bess_ota":1,"url":"https://h/)" + std::string(kMaxUri, 'a') + "\"}";
    for (const std::string& document :
         {std::string("{}"), std::string(R"({"operation":"reboot"})"), std::string("7"),
          std::string("\"\""), std::string("\"{\""),
          std::string(R"({"bess_ota":2,"url":"https://h"})"), std::string(R"({"bess_ota":1})"),
          std::string(R"({"bess_ota":1,"url":7})"),
          std::string(R"({"bess_ota":1,"url":"https://h","sha256":"zz"})"),
          std::string(R"({"bess_ota":1,"stream":{"id":"s","fileId":256}})"), two, long_url}) {
        const Parsed parsed(execution(document));
        ASSERT_TRUE(parsed.status.ok()) << document;
        ASSERT_TRUE(parsed.message.execution.has_value());
        EXPECT_EQ(parsed.message.execution->document.detail(), Detail::kJobDocument) << document;
        EXPECT_EQ(parsed.message.execution->id.view(), "AFR_OTA-1");
    }
}

TEST(JobMessage, RejectionWithItsState) {
    const Parsed parsed(
        R"({"clientToken":"12","timestamp":1,"code":"VersionMismatch","message":"x","executionState":)"
        R"({"status":"IN_PROGRESS","statusDetails":{"a":"b"},"versionNumber":5}})");
    ASSERT_TRUE(parsed.status.ok());
    EXPECT_EQ(parsed.message.token.view(), "12");
    EXPECT_EQ(parsed.message.code.view(), "VersionMismatch");
    EXPECT_EQ(parsed.message.state, JobStatus::kInProgress);
    EXPECT_EQ(parsed.message.state_version, 5U);
}

TEST(JobMessage, OddTypesAreAsGoodAsMissing) {
    const Parsed parsed(
        R"({"clientToken":7,"execution":{"jobId":"j","status":3,"versionNumber":"9","executionNumber":-1}})");
    ASSERT_TRUE(parsed.status.ok());
    EXPECT_TRUE(parsed.message.token.empty());
    EXPECT_EQ(parsed.message.execution->status, JobStatus::kUnknown);
    EXPECT_EQ(parsed.message.execution->version, 9U);
    EXPECT_TRUE(parsed.message.execution->document.is(Code::kTryAgain));
    for (const char* bad : {"", "[]", "7", "{", R"({"execution":{)", R"({"a":1}})"}) {
        EXPECT_FALSE(Parsed(bad).status.ok()) << bad;
    }
}

}  // namespace
}  // namespace ota
