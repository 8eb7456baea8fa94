// Module boards on a bus, from the engine's orders to what they run in the end.
#include "install/module_link.hpp"

#include "support/board_rack.hpp"
#include "support/test.hpp"

namespace ota {
namespace {

using test::BoardRack;
using test::Buffer;

constexpr uint32_t kSize = 40 * 1024;

Buffer image_of(std::string_view version, uint32_t size = kSize) {
    return test::make_signed_of_size(version, size, 7);
}

struct Rack : BoardRack {
    explicit Rack(uint8_t count = 2, const Buffer& key = {}) : BoardRack(time, count, key) {
        for (auto& seat : seats) seat->board.put_image(old);
    }
    // Erasing takes it 25 s, which it tells by "response pending".
    void add_slow_board(uint8_t number) {
        board::Timing slow;
        slow.erase_sector_us = 2500000;
        board::Identity identity;
        identity.number = number;
        seats.push_back(std::make_unique<test::Seat>(time, wire, identity, slow));
        seats.back()->board.put_image(old);
    }
    // Orders the image for a board, and goes on until done says so; the order stays open.
    template <typename Done>
    void order_until(uint8_t number, uint8_t next, Done done) {
        test::MemoryImage reader(image);
        const Digest digest = digest_of(image);
        for (int i = 0; i < 10000000 && !done(); ++i) {
            if (i % 10 == 0) {
                (void)side->component.install(number, next, reader, digest, image.size());
            }
            tick();
        }
    }
    // A new image runs, is kept, and is what was sent.
    bool is_updated(uint8_t number) {
        return !board(number).is_on_trial() && board(number).running_image() == image;
    }
    bool is_as_before(uint8_t number) {
        return !board(number).is_on_trial() && board(number).running_image() == old;
    }

    static inline VirtualClock time;
    const Buffer old = image_of("1.0.0");
    const Buffer image = image_of("1.1.0");
};

Detail detail_of(Status status) {
    return status.detail();
}

TEST(ModuleLink, BoardIsIdentifiedUpdatedAndConfirmed) {
    Rack rack;
    EXPECT_EQ(rack.version(1), "1.0.0");
    EXPECT_EQ(rack.holds(1, rack.image), false);
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.version(1), "1.1.0");
    EXPECT_EQ(rack.holds(1, rack.image), true);
    EXPECT_TRUE(rack.is_as_before(2));
}

TEST(ModuleLink, BoardThatHoldsItAlreadyIsLeftAlone) {
    Rack rack;
    ASSERT_TRUE(rack.install(1, rack.image).ok());
    const uint32_t erases = rack.board(1).erases();
    const uint64_t frames = rack.wire.frames;
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_EQ(rack.board(1).erases(), erases);
    EXPECT_LT(rack.wire.frames - frames, 30U);
}

TEST(ModuleLink, NextBoardIsErasedMeanwhile) {
    Rack rack;
    ASSERT_TRUE(rack.install(1, rack.image, 2).ok());
    EXPECT_EQ(rack.board(2).erases(), 1U);
    EXPECT_TRUE(rack.is_as_before(2));  // it works as it did
    ASSERT_TRUE(rack.install(2, rack.image).ok());
    EXPECT_EQ(rack.board(2).erases(), 1U);
    EXPECT_TRUE(rack.is_updated(2));
}

TEST(ModuleLink, LockedBoardIsOpenedByItsKey) {
    const Buffer secret(32, 0x5A);
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_HMAC);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_HMAC(PSA_ALG_SHA_256));
    psa_key_id_t key = 0;
    ASSERT_EQ(psa_import_key(&attributes, secret.data(), secret.size(), &key), PSA_SUCCESS);
    Rack rack(2, secret);
    // Without the key, and with a wrong one.
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardLocked);
    EXPECT_TRUE(rack.is_as_before(1));
    ModuleComponent with_key(rack.side->exchange, 12, key);
    test::MemoryImage reader(rack.image);
    EXPECT_TRUE(rack.ask([&] {
                        return with_key.install(1, 2, reader, BoardRack::digest_of(rack.image),
                                                rack.image.size());
                    })
                    .ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(2).erases(), 1U);  // the second conversation has a key of its own
    (void)psa_destroy_key(key);
}

TEST(ModuleLink, DeadBoardIsToldInSeconds) {
    Rack rack;
    rack.board(1).faults.is_dead = true;
    const Millis before = rack.time.now();
    EXPECT_EQ(rack.holds(1, rack.image), std::nullopt);
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardSilent);
    EXPECT_LT(rack.time.now() - before, 15000U);
    EXPECT_TRUE(rack.install(2, rack.image).ok());
}

TEST(ModuleLink, SlowErasingIsWaitedFor) {
    Rack rack(0);
    rack.add_slow_board(1);
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
}

TEST(ModuleLink, BusyBoardIsAskedAgain) {
    Rack rack;
    rack.board(1).faults.busy_answers = 10;
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
}

TEST(ModuleLink, WrongCounterIsSortedOutByTheRecord) {
    Rack rack;
    rack.board(1).faults.wrong_counter_at = 10000;
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(1).erases(), 1U);
}

TEST(ModuleLink, ResetInMidTransferGoesOnWhereTheBoardIs) {
    Rack rack;
    rack.board(1).faults.reset_at = 30000;
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(1).erases(), 1U);
}

TEST(ModuleLink, BoardMayRefuseADowngrade) {
    Rack rack;
    rack.board(1).faults.refuses_downgrade = true;
    const Buffer older = image_of("0.9.0");
    EXPECT_EQ(detail_of(rack.install(1, older)), Detail::kBoardRefused);
    EXPECT_TRUE(rack.is_as_before(1));
    EXPECT_TRUE(rack.install(2, older).ok());
}

TEST(ModuleLink, BoardThatGoesBackIsNotTakenForUpdated) {
    Rack rack;
    rack.board(1).faults.reverts = true;
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardFailed);
    EXPECT_TRUE(rack.is_as_before(1));
}

TEST(ModuleLink, BoardThatNeverReturnsIsGivenUpAfterAMinute) {
    Rack rack;
    rack.board(1).faults.never_returns = true;
    const Millis before = rack.time.now();
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardLost);
    EXPECT_LT(rack.time.now() - before, 90000U);
    EXPECT_TRUE(rack.install(2, rack.image).ok());
}

TEST(ModuleLink, BoardOfAnotherKindIsNotTouched) {
    Rack rack;
    ModuleLink::Config config;
    config.session.hardware = "BESS-MODULE-R2";
    ModuleLink strict(
        {&rack.side->share.face(CanShare::kBoards), &rack.side->share.face(CanShare::kNextBoard)},
        rack.time, rack.side->exchange, config);
    test::MemoryImage reader(rack.image);
    Status status;
    const Digest digest = BoardRack::digest_of(rack.image);
    for (int i = 0; i < 20000; ++i) {
        if (i % 10 == 0) {
            status = rack.side->component.install(1, 0, reader, digest, rack.image.size());
            if (!status.is(Code::kTryAgain)) break;
        }
        strict.poll();
        rack.wire.run();
        (void)rack.side->share.poll();
        for (auto& seat : rack.seats) seat->board.poll();
        rack.time.advance_micros(200);
    }
    EXPECT_EQ(status.detail(), Detail::kBoardOther);
    EXPECT_EQ(rack.board(1).erases(), 0U);
}

// The controller was reset while the board was on trial: what is left to do is the confirmation.
TEST(ModuleLink, BoardOnTrialIsConfirmed) {
    Rack rack;
    rack.order_until(1, 0, [&] { return rack.board(1).is_on_trial(); });
    ASSERT_TRUE(rack.board(1).is_on_trial());
    rack.side->component.abort();
    EXPECT_EQ(rack.holds(1, rack.image), false);
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(1).erases(), 1U);
}

TEST(ModuleLink, AbortLetsGoAtOnceAndTheRestIsTakenUp) {
    Rack rack;
    rack.order_until(1, 2, [&] { return rack.board(1).taken() >= 20000; });
    rack.side->component.abort();
    rack.run_for(200);
    const uint32_t taken = rack.board(1).taken();
    EXPECT_GE(taken, 20000U);
    rack.run_for(30000);
    EXPECT_EQ(rack.board(1).taken(), taken);
    // Another order in between is answered by itself.
    EXPECT_EQ(rack.version(2), "1.0.0");
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(1).erases(), 1U);
    // An image that is taken for another never mixes with it.
    const Buffer third = image_of("1.2.0", 48 * 1024);
    EXPECT_TRUE(rack.install(2, third).ok());
    EXPECT_TRUE(rack.board(2).running_image() == third);
}

TEST(ModuleLink, BusThatIsOffIsWaitedFor) {
    Rack rack;
    rack.order_until(1, 0, [&] { return rack.board(1).taken() >= 10000; });
    rack.wire.is_off = true;
    rack.run_for(120000);
    EXPECT_LT(rack.board(1).taken(), 16000U);
    rack.wire.is_off = false;
    EXPECT_TRUE(rack.install(1, rack.image).ok());
    EXPECT_TRUE(rack.is_updated(1));
    EXPECT_EQ(rack.board(1).erases(), 1U);
}

// As a manifest orders it: the next board is asked whether it holds the image while it is prepared.
TEST(ModuleLink, BoardInPreparationIsAskedWithoutDisturbingIt) {
    Rack rack;
    rack.add_slow_board(3);
    ASSERT_TRUE(rack.install(1, rack.image, 3).ok());
    EXPECT_EQ(rack.holds(1, rack.image), true);
    EXPECT_EQ(rack.holds(3, rack.image), false);
    EXPECT_TRUE(rack.install(3, rack.image).ok());
    EXPECT_EQ(rack.board(3).erases(), 1U);
}

// The controller was reset meanwhile: the board is erasing still, and does not answer what it is
// asked.
TEST(ModuleLink, BoardThatWorksForAnEarlierOrderIsWaitedFor) {
    Rack rack;
    rack.add_slow_board(3);
    rack.order_until(3, 0, [&] { return rack.board(3).erases() != 0; });
    rack.restart_controller();
    EXPECT_EQ(rack.holds(3, rack.image), false);
    EXPECT_TRUE(rack.install(3, rack.image).ok());
}

TEST(ModuleLink, AbortAlsoEndsWhatWasBegunAhead) {
    Rack rack(1);
    rack.add_slow_board(2);
    rack.board(1).faults.reverts = true;
    EXPECT_EQ(detail_of(rack.install(1, rack.image, 2)), Detail::kBoardFailed);
    EXPECT_TRUE(rack.side->link->is_busy());
    rack.side->component.abort();
    rack.tick();
    EXPECT_FALSE(rack.side->link->is_busy());
}

TEST(ModuleLink, ImageThatCannotBeReadEndsTheOrder) {
    struct BadImage final : ImageReader {
        uint64_t size() const override { return kSize; }
        Status read_at(uint64_t, MutableBytes) override {
            return {Code::kStorage, Origin::kInstall, Detail::kFlashRead};
        }
    };
    Rack rack;
    BadImage bad;
    const Digest digest = BoardRack::digest_of(rack.image);
    const Status status = rack.ask(
        [&] { return rack.side->component.install(1, 0, bad, digest, rack.image.size()); });
    EXPECT_EQ(status.origin(), Origin::kInstall);
    EXPECT_EQ(rack.holds(2, rack.image), false);
    EXPECT_EQ(rack.version(2), "1.0.0");
    EXPECT_TRUE(rack.install(1, rack.image).ok());
}

TEST(ModuleLink, WaitingForTheEngineLeavesTheTaskItsRest) {
    Rack rack;
    rack.order_until(1, 0, [&] { return rack.board(1).taken() >= 4096; });
    rack.run_for(1000);  // the engine does something else
    int due = 0;
    for (int i = 0; i < 100; ++i) {
        rack.side->link->poll();
        due += rack.side->link->due() <= rack.time.micros() ? 1 : 0;
        rack.time.advance_micros(10);
    }
    EXPECT_LE(due, 2);
    EXPECT_TRUE(rack.install(1, rack.image).ok());
}

TEST(ModuleLink, BoardThatCannotKeepItsImageWasChanged) {
    Rack rack;
    rack.board(1).faults.refuses_confirmation = true;
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardFailed);
}

TEST(ModuleLink, BoardThatForgetsItsImagesNameIsErasedOnce) {
    Rack rack;
    rack.board(1).faults.forgets_name = true;
    EXPECT_EQ(detail_of(rack.install(1, rack.image)), Detail::kBoardFailed);
    EXPECT_EQ(rack.board(1).erases(), 1U);
}

// Power was lost before the confirmation of one image, and another one comes.
TEST(ModuleLink, BoardOnTrialWithAnotherImageIsRidOfItFirst) {
    Rack rack;
    rack.order_until(1, 0, [&] { return rack.board(1).is_on_trial(); });
    rack.restart_controller();
    const Buffer third = image_of("1.2.0", 48 * 1024);
    EXPECT_TRUE(rack.install(1, third).ok());
    EXPECT_TRUE(rack.board(1).running_image() == third);
    EXPECT_FALSE(rack.board(1).is_on_trial());
}

TEST(ModuleLink, NewLinkListensToNobodyOfTheOldOne) {
    Rack rack;
    ASSERT_TRUE(rack.install(1, rack.image, 2).ok());
    rack.run_for(10);
    ModuleLink again(
        {&rack.side->share.face(CanShare::kBoards), &rack.side->share.face(CanShare::kNextBoard)},
        rack.time, rack.side->exchange, {});
    CanFrame frame;
    frame.id = 0x1CDA1022;
    frame.is_29_bit = true;
    rack.controller.incoming.assign(1, frame);
    CanFrame out;
    EXPECT_FALSE(*rack.side->share.face(CanShare::kServer).receive(out));
    EXPECT_FALSE(rack.side->share.has_frame());
}

// ISO-TP repairs nothing: a request is repeated as a whole, and a board knows it by its counter.
TEST(FieldCase, F12_one_percent_of_frames_lost_and_a_dead_board_among_twelve) {
    Rack rack(12);
    uint64_t count = 0;
    rack.wire.loses = [&](const CanFrame&) { return ++count * 2654435761U % 997 < 10; };
    rack.board(5).faults.is_dead = true;
    for (uint8_t number = 1; number <= 12; ++number) {
        const auto next = static_cast<uint8_t>(number == 12 ? 0 : number + 1);
        const Status status = rack.install(number, rack.image, next);
        EXPECT_EQ(status.ok(), number != 5) << static_cast<int>(number);
    }
    for (uint8_t number = 1; number <= 12; ++number) {
        EXPECT_TRUE(number == 5 ? rack.is_as_before(number) : rack.is_updated(number));
    }
}

}  // namespace
}  // namespace ota
