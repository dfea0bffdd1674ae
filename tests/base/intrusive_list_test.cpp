#include <anyio/base/detail/intrusive_list.hpp>  // first: proves that it compiles alone

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace {

struct by_age;
struct by_name;

struct person : anyio::intrusive_list_node<by_age>,
                anyio::intrusive_list_node<by_name> {
    explicit person(char n) : name(n) {}

    char name;
};

using ages = anyio::intrusive_list<person, by_age>;
using names = anyio::intrusive_list<person, by_name>;

template <class List>
std::string text(const List& list) {
    std::string result;
    for (const person& p : list) {
        result += p.name;
    }
    std::string backwards;
    for (auto at = list.end(); at != list.begin();) {
        backwards += (--at)->name;
    }
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_EQ(result, backwards);
    return result;
}

struct people {
    person a{'a'}, b{'b'}, c{'c'};
};

}  // namespace

static_assert(std::bidirectional_iterator<ages::iterator>);
static_assert(std::bidirectional_iterator<ages::const_iterator>);

TEST(intrusive_list, keeps_the_order_in_which_elements_came) {
    people p;
    ages list;
    EXPECT_TRUE(list.empty());
    list.push_back(p.b);
    list.push_back(p.c);
    list.push_front(p.a);
    EXPECT_EQ(text(list), "abc");
    EXPECT_EQ(list.size(), 3u);
    EXPECT_EQ(list.front().name, 'a');
    EXPECT_EQ(list.back().name, 'c');
}

TEST(intrusive_list, an_element_leaves_from_anywhere_and_does_so_when_destroyed) {
    people p;
    ages list;
    list.push_back(p.a);
    list.push_back(p.b);
    list.push_back(p.c);
    {
        person d('d');
        list.insert_before(p.b, d);
        EXPECT_EQ(text(list), "adbc");
    }
    EXPECT_EQ(text(list), "abc");
    ages::unlink(p.b);
    EXPECT_EQ(text(list), "ac");
    EXPECT_FALSE(ages::is_linked(p.b));
    ages::unlink(p.b);  // does nothing
    list.push_back(p.b);
    EXPECT_EQ(text(list), "acb");
}

TEST(intrusive_list, pops_from_both_ends_and_null_when_empty) {
    people p;
    ages list;
    list.push_back(p.a);
    list.push_back(p.b);
    list.push_back(p.c);
    EXPECT_EQ(list.pop_front(), &p.a);
    EXPECT_EQ(list.pop_back(), &p.c);
    EXPECT_EQ(list.pop_back(), &p.b);
    EXPECT_EQ(list.pop_back(), nullptr);
    EXPECT_EQ(list.pop_front(), nullptr);
}

TEST(intrusive_list, one_object_stands_in_lists_of_different_tags) {
    people p;
    ages by_ages;
    names by_names;
    by_ages.push_back(p.a);
    by_ages.push_back(p.b);
    by_names.push_back(p.b);
    by_names.push_back(p.a);
    EXPECT_EQ(text(by_ages), "ab");
    EXPECT_EQ(text(by_names), "ba");
}

TEST(intrusive_list, splices_and_moves_in_order) {
    people p;
    ages first;
    ages second;
    first.push_back(p.a);
    second.push_back(p.b);
    second.push_back(p.c);
    first.splice_back(second);
    EXPECT_EQ(text(first), "abc");
    EXPECT_TRUE(second.empty());
    first.splice_back(second);
    first.splice_back(first);
    EXPECT_EQ(text(first), "abc");
    second.splice_back(first);
    EXPECT_EQ(text(second), "abc");
    ages third = std::move(second);
    EXPECT_EQ(text(third), "abc");
    EXPECT_TRUE(second.empty());  // NOLINT: empty is promised
}

TEST(intrusive_list, lets_go_of_its_elements_when_it_is_destroyed) {
    people p;
    {
        ages list;
        list.push_back(p.a);
        list.push_back(p.b);
    }
    EXPECT_FALSE(ages::is_linked(p.a));
    ages again;
    again.push_back(p.b);
    EXPECT_EQ(text(again), "b");
}

TEST(intrusive_list, elements_may_be_removed_while_it_is_walked) {
    people p;
    ages list;
    list.push_back(p.a);
    list.push_back(p.b);
    list.push_back(p.c);
    for (auto at = list.begin(); at != list.end();) {
        person& element = *at++;
        if (element.name != 'b') {
            ages::unlink(element);
        }
    }
    EXPECT_EQ(text(list), "b");
}
