// SPDX-License-Identifier: MIT
#include <anyio/lowlevel/spawn.hpp>

#include <anyio/lowlevel/block.hpp>
#include <anyio/lowlevel/task_extra.hpp>

#include <new>

namespace anyio::lowlevel {

namespace {

constexpr std::size_t unit = detail::frame_granule;
}  // namespace

task_state& allocate_task(const task_kind& kind, frame_size_hint& hint) {
    const std::size_t frame = ANYIO_SANITIZED ? 0 : hint.load(std::memory_order_relaxed);
    const std::size_t size =
        (kind.prefix + sizeof(task_state) + frame + unit - 1) / unit * unit;
    void* const memory = allocate_block(size);
    auto* const task = new (static_cast<char*>(memory) + kind.prefix) task_state;
    task->kind = &kind;
    task->block_units = static_cast<std::uint16_t>(size / unit);
    return *task;
}

void release_task_block(task_state& task) noexcept {
    const std::size_t size = task.block_units * unit;
    void* const memory = reinterpret_cast<char*>(&task) - task.kind->prefix;
    if (task.kind->forget) task.kind->forget(task);
    if (task.extra) [[unlikely]] task_extra::destroy(task.extra);
    task.~task_state();
    free_block(memory, size);
}

void name_task(task_state& task, std::string_view name) {
    task_extra::of(task).name.emplace(name);
}

void unborn_task::discard() noexcept {
    if (first_) handle_of(first_).destroy();
    if (call_made_ && task_.kind->destroy) task_.kind->destroy(task_);
    task_.set(task_finished);
    if (!task_.has(task_frame_inside)) release_task_block(task_);
}

#if ANYIO_SANITIZED
open_frame_slot::open_frame_slot(task_state&, frame_size_hint&) noexcept {}

open_frame_slot::~open_frame_slot() = default;
#else
open_frame_slot::open_frame_slot(task_state& task, frame_size_hint& hint) noexcept
    : outer_(detail::this_frame_slot), hint_(hint),
      size_(task.block_units * unit - task.kind->prefix - sizeof(task_state)) {
    // A slot too small for any frame is opened all the same: it learns the size.
    detail::this_frame_slot = {&task + 1, size_, 0};
}

open_frame_slot::~open_frame_slot() {
    // Larger than the room: make room next time. Much smaller: one function pointer type
    // serves functions with frames of all sizes.
    const std::size_t asked = detail::this_frame_slot.asked;
    if (asked != 0 && asked < 65536 && (asked > size_ || asked * 2 < size_)) [[unlikely]]
        hint_.store(static_cast<std::uint32_t>(asked), std::memory_order_relaxed);
    detail::this_frame_slot = outer_;
}
#endif

frame_link& first_frame(const task_state& task) noexcept {
    if (task.extra && task.extra->first_frame) return *task.extra->first_frame;
    auto* const behind = const_cast<task_state*>(&task) + 1;
    return *link_of(std::coroutine_handle<>::from_address(behind));
}

void start_task(
    loop_state& loop, task_state& task, frame_link& first, frame_owner& owner
) {
    // Not inside if it is too large, or if the callable returned a task that it had from
    // elsewhere, as in [] { return retry(fetch()); }.
    if (handle_of(&first).address() != &task + 1) task_extra::of(task).first_frame = &first;
    first.parent = &root_link();
    first.owner = &owner;
    owner.child = &first;
    task.leaf = &first;
    const std::uint64_t id = loop.next_id++;
    task.id_low = static_cast<std::uint32_t>(id);
    task.id_high = static_cast<std::uint8_t>(id >> 32);
    push_ready(loop, task);
}

}  // namespace anyio::lowlevel
